#include "core/services/connect_race.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include <fmt/format.h>

namespace par::core {
namespace {

constexpr Milliseconds k_head_start{250};

// Both families in turn, each in its order, the one of the first address first.
std::vector<IpAddress> take_turns(std::vector<IpAddress> addresses) {
  const bool first = addresses.front().ipv6;
  const auto second = std::stable_partition(addresses.begin(), addresses.end(),
                                            [&](const IpAddress& each) { return each.ipv6 == first; });
  std::vector<IpAddress> out;
  out.reserve(addresses.size());
  for (auto one = addresses.begin(), other = second; one != second || other != addresses.end();) {
    if (one != second) out.push_back(*one++);
    if (other != addresses.end()) out.push_back(*other++);
  }
  return out;
}

}  // namespace

ConnectRace::ConnectRace(std::vector<IpAddress> addresses, Target target, const Redirect& redirect,
                         Milliseconds attempt_limit, SteadyTime deadline)
    : addresses_(take_turns(std::move(addresses))),
      target_(std::move(target)),
      redirect_(redirect),
      attempt_limit_(attempt_limit),
      deadline_(deadline) {}

bool ConnectRace::failed(HttpError error, SteadyTime until) {
  if (error.kind == HttpFailure::deadline && until < deadline_) {
    error = {HttpFailure::connect, fmt::format("{} (limit of {} s for a connection)", error.message,
                                               static_cast<double>(attempt_limit_.count()) / 1000)};
  }
  last_error_ = std::move(error);
  return last_error_.kind == HttpFailure::connect;
}

void ConnectRace::start(SteadyTime now) {
  IpAddress address = addresses_[next_++];
  std::string peer = target_.peer;
  if (address.text() != target_.host) peer += fmt::format(" (address {})", address.text());
  uint16_t port = target_.port;
  if (redirect_) std::tie(address, port) = redirect_(address, port);
  Attempt attempt{std::make_unique<Connection>(target_.pool_key, std::move(peer)),
                  std::min(deadline_, now + attempt_limit_)};
  if (auto begun = attempt.connection->dial(address, port); !begun) {
    failed(std::move(begun.error()), attempt.until);
    return;
  }
  next_start_ = now + k_head_start;
  attempts_.push_back(std::move(attempt));
  // clang 14 does not see that the vector owns the connection now.
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)

// Drops the attempts that failed. One that succeeded leaves the race as its winner.
std::optional<ConnectRace::Winner> ConnectRace::look(SteadyTime now) {
  for (auto at = attempts_.begin(); at != attempts_.end();) {
    const auto open = at->connection->is_open();
    if (open && *open) {
      Winner winner{std::move(at->connection), at->until};
      attempts_.erase(at);
      return winner;
    }
    if (open && now < at->until) {
      ++at;
      continue;
    }
    failed(open ? HttpError{HttpFailure::deadline,
                            fmt::format("time limit reached while connecting to {}", at->connection->peer())}
                : open.error(),
           at->until);
    next_start_ = now;
    at = attempts_.erase(at);
  }
  return std::nullopt;
}

Task<HttpResult<ConnectRace::Winner>> ConnectRace::next(Waiter& waiter) {
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (auto winner = look(now)) co_return std::move(*winner);
    if (next_ > 0 && now >= deadline_) break;
    if (may_start() && (attempts_.empty() || now >= next_start_)) {
      start(now);
      continue;
    }
    if (attempts_.empty()) break;
    SteadyTime until = may_start() ? next_start_ : k_never;
    std::vector<Socket*> sockets;
    for (const Attempt& attempt : attempts_) {
      until = std::min(until, attempt.until);
      sockets.push_back(&attempt.connection->socket());
    }
    const WaitEnd end = co_await waiter.any_writable(sockets, until);
    if (end == WaitEnd::cancelled) {
      co_return tl::unexpected(
          HttpError{HttpFailure::cancelled,
                    fmt::format("cancelled while connecting to {}", attempts_.front().connection->peer())});
    }
  }
  co_return tl::unexpected(last_error_);
}

}  // namespace par::core
