#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/services/connection.hpp"

namespace par::core {

/// Opens TCP connections to the addresses of one host, in the manner of RFC 8305: an address that does not
/// answer at once delays the next one by a quarter of a second, not by its whole time limit. Families take
/// turns, since often one of them leads nowhere. Belongs to one exchange.
class ConnectRace {
 public:
  /// Stands between the policy check and the socket in tests: gives the address that is dialled in truth.
  using Redirect = std::function<std::pair<IpAddress, uint16_t>(const IpAddress&, uint16_t)>;

  struct Target {
    std::string pool_key;  ///< of the connections (see Connection::key)
    std::string peer;      ///< as error texts name it, without the address
    std::string host;      ///< a name, or the address itself, which is then not named again
    uint16_t port = 0;
  };

  /// `addresses` passed the policy, in the order of preference; at least one. Each attempt may take
  /// `attempt_limit`, all together until `deadline`.
  ConnectRace(std::vector<IpAddress> addresses, Target target, const Redirect& redirect,
              Milliseconds attempt_limit, SteadyTime deadline);

  struct Winner {
    std::unique_ptr<Connection> connection;
    SteadyTime until;  ///< where the limit of its attempt ends
  };
  /// The next connection that opens. Attempts under way go on after that: call again if the winner turned out
  /// to be of no use. Error: why the last attempt failed.
  Task<HttpResult<Winner>> next(Waiter& waiter);

  /// A winner failed after all. Remembers why, for the case that no other wins. False: `error` is none that
  /// another address could mend.
  bool failed(HttpError error, SteadyTime until);
  const HttpError& last_error() const { return last_error_; }

 private:
  struct Attempt {
    std::unique_ptr<Connection> connection;
    SteadyTime until;
  };
  bool may_start() const { return next_ < addresses_.size() && attempts_.size() < Waiter::k_max_sockets; }
  void start(SteadyTime now);
  std::optional<Winner> look(SteadyTime now);

  std::vector<IpAddress> addresses_;
  Target target_;
  const Redirect& redirect_;
  Milliseconds attempt_limit_;
  SteadyTime deadline_;
  size_t next_ = 0;          ///< of addresses_, to be dialled
  SteadyTime next_start_{};  ///< of the next attempt, unless all others have failed by then
  std::vector<Attempt> attempts_;
  HttpError last_error_;
};

}  // namespace par::core
