#include "core/channel/pacing.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/base/strings.hpp"

namespace par::core {
namespace {

constexpr Milliseconds k_varied_from{4'000};
constexpr Milliseconds k_longest_order{120'000};

}  // namespace

Pacing::Pacing(Settings settings, Random random) : settings_(settings), random_(std::move(random)) {}

std::optional<SteadyTime> Pacing::next_start() const {
  if (!open_ && in_flight_ > 0) return std::nullopt;
  return std::max(own_until_, ordered_until_);
}

Pacing::Ticket Pacing::started() {
  ++in_flight_;
  return generation_;
}

void Pacing::ordered_wait(SteadyTime now, Ordered ordered) {
  if (!ordered) return;
  ordered_until_ = std::max(ordered_until_, now + *ordered);
  wait_ = std::max(wait_, *ordered);
}

void Pacing::task(Ticket ticket) {
  if (ticket != generation_) return;
  --in_flight_;
  open_ = true;
  failures_ = 0;
  wait_ = Milliseconds(0);
}

void Pacing::empty(Ticket ticket, SteadyTime now, Ordered ordered) {
  if (ticket != generation_) return ordered_wait(now, ordered);
  failures_ = 0;
  close(now, settings_.loop_interval, ordered);
}

bool Pacing::failed(Ticket ticket, SteadyTime now, Ordered ordered) {
  if (ticket != generation_) {
    ordered_wait(now, ordered);
    return false;
  }
  Milliseconds wait = settings_.wait_before_retry;
  if (++failures_ >= settings_.max_attempts) {
    failures_ = 0;
  } else {
    // Beyond 2^20 every sensible minimum has passed the maximum, and the shift stays defined.
    wait =
        std::min(settings_.min_backoff * (int64_t{1} << std::min(failures_ - 1, 20)), settings_.max_backoff);
  }
  close(now, varied(wait), ordered);
  return true;
}

void Pacing::close(SteadyTime now, Milliseconds wait, Ordered ordered) {
  ++generation_;
  in_flight_ = 0;
  open_ = false;
  own_until_ = ordered ? now : now + wait;
  wait_ = ordered ? Milliseconds(0) : wait;
  ordered_wait(now, ordered);
}

Milliseconds Pacing::varied(Milliseconds wait) const {
  if (wait < k_varied_from) return wait;
  const double factor = 0.9 + 0.2 * random_();
  return Milliseconds(std::llround(static_cast<double>(wait.count()) * factor));
}

std::optional<Milliseconds> parse_retry_after(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.empty()) return std::nullopt;
  if (text.size() > 6) return k_longest_order;
  int64_t value = 0;
  for (const char digit : text) value = value * 10 + (digit - '0');
  return std::min(Milliseconds(value), k_longest_order);
}

}  // namespace par::core
