#include "time_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace postgresql_plugin {
namespace {

using std::chrono::sys_days;

// Reads PostgreSQL's text from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // PostgreSQL's years end at 294276.
  bool number(int& value) {
    unsigned digits = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), digits);
    if (error != std::errc() || digits > 999999) return false;
    value = static_cast<int>(digits);
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return true;
  }
  bool skip(std::string_view expected) {
    if (text_.substr(0, expected.size()) != expected) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  std::string_view digits() {
    const std::string_view found =
        text_.substr(0, std::min(text_.find_first_not_of("0123456789"), text_.size()));
    text_.remove_prefix(found.size());
    return found;
  }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

struct Moment {
  int year = 0;
  int month = 1;
  int day = 1;
  std::chrono::seconds clock{0};  // of the day, 24 hours at most
  std::string_view fraction;
  int offset = 0;  // seconds east of Greenwich
};

bool read_date(Reader& in, Moment& moment) {
  return in.number(moment.year) && in.skip("-") && in.number(moment.month) && in.skip("-") &&
         in.number(moment.day);
}

bool read_clock(Reader& in, Moment& moment) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!(in.number(hour) && in.skip(":") && in.number(minute) && in.skip(":") && in.number(second)))
    return false;
  moment.clock = std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  if (in.skip(".")) moment.fraction = in.digits();
  return true;
}

bool read_offset(Reader& in, Moment& moment) {
  const bool east = in.skip("+");
  if (!east && !in.skip("-")) return true;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!in.number(hours)) return false;
  if (in.skip(":") && !in.number(minutes)) return false;
  if (in.skip(":") && !in.number(seconds)) return false;
  moment.offset = (east ? 1 : -1) * (hours * 3600 + minutes * 60 + seconds);
  return true;
}

// The end of the text and the year: those before Christ are counted from 1, and the one before year 1 is 0.
bool read_end(Reader& in, Moment& moment) {
  if (in.skip(" BC")) moment.year = 1 - moment.year;
  return in.at_end();
}

bool append(std::string& out, const Moment& moment) {
  const std::chrono::year_month_day written = std::chrono::year(moment.year) / moment.month / moment.day;
  if (moment.year < 0 || moment.year > 9999 || !written.ok()) return false;
  const int rest = moment.offset % 60;
  const int offset = (moment.offset - rest) / 60;
  const auto local = sys_days(written) + moment.clock - std::chrono::seconds(rest);
  const auto date = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day day(date);
  const std::chrono::hh_mm_ss clock(local - date);
  const int year = static_cast<int>(day.year());
  if (year < 0 || year > 9999) return false;
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", year, static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  out += text;
  if (!moment.fraction.empty()) out.append(".").append(moment.fraction);
  if (offset == 0) {
    out += 'Z';
  } else {
    std::snprintf(text, sizeof text, "%c%02d:%02d", offset < 0 ? '-' : '+', std::abs(offset) / 60,
                  std::abs(offset) % 60);
    out += text;
  }
  return true;
}

}  // namespace

bool append_date(std::string& out, std::string_view text) {
  Reader in(text);
  Moment moment;
  return read_date(in, moment) && read_end(in, moment) && append(out, moment);
}

bool append_timestamp(std::string& out, std::string_view text) {
  Reader in(text);
  Moment moment;
  return read_date(in, moment) && in.skip(" ") && read_clock(in, moment) && read_offset(in, moment) &&
         read_end(in, moment) && append(out, moment);
}

bool append_time(std::string& out, std::string_view text) {
  Reader in(text);
  Moment moment;
  return read_clock(in, moment) && read_offset(in, moment) && read_end(in, moment) && append(out, moment);
}

}  // namespace postgresql_plugin
