#include "core/base/time.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace par::core {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<Milliseconds> time;
};

Parts parts_of(SystemTime time) {
  const auto whole = std::chrono::floor<Milliseconds>(time);
  const auto day = std::chrono::floor<days>(whole);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<Milliseconds>(whole - day)};
}

std::string seconds_text(const Parts& parts) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(parts.date.year()),
                     static_cast<unsigned>(parts.date.month()), static_cast<unsigned>(parts.date.day()),
                     parts.time.hours().count(), parts.time.minutes().count(), parts.time.seconds().count());
}

// Takes exactly `count` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char upper, char lower) {
  if (text.empty() || (text.front() != upper && text.front() != lower)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string rfc3339(SystemTime time) {
  return seconds_text(parts_of(time)) + "Z";
}

std::string rfc3339_ms(SystemTime time) {
  const Parts parts = parts_of(time);
  return fmt::format("{}.{:03}Z", seconds_text(parts), parts.time.subseconds().count());
}

std::optional<SystemTime> parse_rfc3339(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-', '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-', '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, 'T', 't')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':', ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':', ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  std::chrono::microseconds fraction{0};
  if (take(text, '.', '.')) {
    int64_t unit = 100'000;
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction += std::chrono::microseconds((text.front() - '0') * unit);
      unit /= 10;
      text.remove_prefix(1);
    }
  }
  minutes offset{0};
  if (!take(text, 'Z', 'z')) {
    const int sign = take(text, '+', '+') ? 1 : take(text, '-', '-') ? -1 : 0;
    const auto offset_hours = take_digits(text, 2);
    if (sign == 0 || !offset_hours || !take(text, ':', ':')) return std::nullopt;
    const auto offset_minutes = take_digits(text, 2);
    if (!offset_minutes || *offset_hours > 23 || *offset_minutes > 59) return std::nullopt;
    offset = sign * (hours(*offset_hours) + minutes(*offset_minutes));
  }
  if (!text.empty()) return std::nullopt;
  const auto time = std::chrono::sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) - offset;
  constexpr seconds k_most{9'000'000'000};  // what the clock's nanoseconds can hold, with room to count on
  return SystemTime(std::clamp<seconds>(time.time_since_epoch(), -k_most, k_most)) + fraction;
}

}  // namespace par::core
