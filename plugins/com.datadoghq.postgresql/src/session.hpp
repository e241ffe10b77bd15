#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libpq-fe.h>
#include <par/plugin.hpp>

#include "cancellation.hpp"
#include "login.hpp"
#include "parameters.hpp"

namespace postgresql_plugin {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

/// One connection to one server for one call. Everything goes through the non-blocking half of libpq, so each
/// wait ends when the call is cancelled or its time is over; what the server runs then is cancelled there,
/// too. Functions throw par::Error. One thread.
class Session {
 public:
  /// Connects within 10 s to the first address that par.net/1 allows and that answers. Nothing comes from the
  /// environment or from files of libpq.
  Session(const Login& login, const par::Call& call);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Closes the connection, which undoes an open transaction, and cancels a statement that still runs.
  ~Session();

  enum class Access {
    read_only,   ///< nothing in the transaction can change the database
    as_the_role  ///< writing unless the role's default is reading only
  };
  /// Opens the transaction and sets for it the text forms of values that this plugin reads, the search path,
  /// and the statement timeout: what is left of the call's time and a margin, unless the role's own is
  /// shorter.
  void begin(Access access);
  void commit();
  /// As good as it goes: a connection that breaks now has no effect either.
  void rollback();

  /// Runs one statement and returns its whole result.
  Result run(const std::string& statement, const Parameters& parameters);

  /// Runs one statement row by row: `columns` once, then `row` for each row (a result of one row) until it
  /// answers false. A row of clearly more than `max_row_bytes` on the wire is not waited for. True if the
  /// result came to its end; otherwise the session is of no further use.
  bool stream(const std::string& statement, const Parameters& parameters, uint64_t max_row_bytes,
              const std::function<void(const PGresult*)>& columns,
              const std::function<bool(const PGresult*)>& row);

  /// The columns of a statement that is not run.
  Result describe(const std::string& statement);

  /// Makes `statement` the one that run_for_each() runs.
  void prepare(const std::string& statement);
  /// Runs it once for each of `rows`, many on their way at a time, and calls `done` with each result in
  /// order. At an error the rest is not run.
  void run_for_each(const std::vector<Parameters>& rows, const std::function<void(const PGresult*)>& done);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Woken { ready, timeout, cancelled };

  /// One attempt. Null if the address does not answer until `limit` or the attempt fails, with the reason in
  /// `problem`.
  PGconn* dial(const Login& login, const std::string& address, const std::string& root_certificate,
               Clock::time_point limit, std::string& problem) const;
  Woken poll(int socket, short events, std::optional<Clock::time_point> limit, bool with_cancel) const;
  void wait(short events);
  void send(int accepted);
  bool arrive(uint64_t max_bytes);
  Result last();
  void command(const std::string& commands);
  std::string literal(const std::string& text) const;
  [[noreturn]] void fail(const PGresult* result);
  [[noreturn]] void lose() const;

  const par::Call& call_;
  CancelSignal cancel_;
  CancelRequests cancel_requests_;
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Finish> connection_;
  std::string search_path_;
  bool running_ = false;                      ///< a statement was sent and has not come to its end
  std::optional<Clock::time_point> give_up_;  ///< set once the running statement is being cancelled
};

}  // namespace postgresql_plugin
