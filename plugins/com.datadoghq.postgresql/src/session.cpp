#include "session.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "keywords.hpp"
#include "memory_file.hpp"
#include "server_error.hpp"

namespace postgresql_plugin {
namespace {

using namespace std::chrono_literals;

constexpr auto k_connect_limit = 10s;
// The grace of a cancelled call is 2 s. A request that arrives before its statement is lost, so it is
// repeated.
constexpr auto k_cancel_patience = 1500ms;
constexpr auto k_cancel_interval = 300ms;
// The server's time limit is only there for the case that no cancel request reaches it.
constexpr auto k_timeout_margin = 1000ms;
// What may wait unread in the system's buffer while a row is incomplete.
constexpr uint64_t k_socket_buffer = 8u << 20;

constexpr uint64_t k_unbounded = std::numeric_limits<uint64_t>::max();

// Statements on their way to the server before their results are read.
constexpr size_t k_batch = 256;

constexpr const char* k_value_styles =
    "SET LOCAL datestyle = 'ISO'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3";

// 0 where the system does not tell.
uint64_t received_bytes(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

std::string place(const Login& login) {
  return login.host + ":" + std::to_string(login.port) + " (database \"" + login.database + "\", user \"" +
         login.user + "\")";
}

}  // namespace

Session::Session(const Login& login, const par::Call& call)
    : call_(call), cancel_(call), search_path_(login.search_path) {
  const std::vector<std::string> addresses = call.net().resolve(login.host, login.port);
  std::optional<MemoryFile> roots;
  if (login.verifies()) {
    roots.emplace(login.root_certificate.empty() ? call.net().trust_roots() : login.root_certificate);
  }
  const auto start = Clock::now();
  const auto limit = start + k_connect_limit;
  std::string problem;
  for (size_t at = 0; at < addresses.size() && connection_ == nullptr; ++at) {
    // Each address gets an equal share of what is left, so that one which swallows packets leaves time for
    // others.
    const auto now = Clock::now();
    const auto share = (limit - now) / static_cast<int>(addresses.size() - at);
    connection_.reset(
        dial(login, addresses[at], roots ? roots->path() : std::string(), now + share, problem));
    if (is_refused_by_server(problem)) break;
  }
  if (connection_ != nullptr) return;
  const std::string text = message_text(problem);
  throw par::Error(PAR_CONNECT, "cannot connect to PostgreSQL at " + place(login) + ": " + text +
                                    std::string(connection_advice(problem)));
}

Session::~Session() {
  if (running_) cancel_requests_.send(connection_.get());
}

PGconn* Session::dial(const Login& login, const std::string& address, const std::string& root_certificate,
                      Clock::time_point limit, std::string& problem) const {
  const Keywords keywords(login, address, root_certificate);
  std::unique_ptr<PGconn, Finish> attempt(PQconnectStartParams(keywords.names(), keywords.values(), 0));
  if (attempt == nullptr) throw std::bad_alloc();
  // The default writes what functions on the server say to standard error.
  PQsetNoticeReceiver(
      attempt.get(), [](void*, const PGresult*) {}, nullptr);
  PostgresPollingStatusType status =
      PQstatus(attempt.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    switch (poll(PQsocket(attempt.get()), events, limit, true)) {
      case Woken::ready:
        status = PQconnectPoll(attempt.get());
        break;
      case Woken::timeout:
        problem = "no answer from " + address + " in time (the limit for all addresses is 10 s)";
        return nullptr;
      case Woken::cancelled:
        throw par::Error(PAR_CANCELLED, "it was still connecting to PostgreSQL at " + place(login));
    }
  }
  if (status == PGRES_POLLING_OK && PQsetnonblocking(attempt.get(), 1) == 0) return attempt.release();
  problem = PQerrorMessage(attempt.get());
  // The certificate has no name that anyone else knows.
  if (const size_t at = problem.find(root_certificate);
      !root_certificate.empty() && at != std::string::npos) {
    problem.replace(at, root_certificate.size(), "sslrootcert");
  }
  return nullptr;
}

void Session::begin(Access access) {
  std::string commands = access == Access::read_only ? "BEGIN READ ONLY; " : "BEGIN; ";
  commands += k_value_styles;
  if (const auto remaining = call_.remaining(); remaining != par::Call::Milliseconds::max()) {
    const auto timeout =
        std::min<int64_t>((remaining + k_timeout_margin).count(), std::numeric_limits<int32_t>::max());
    // The view shows the timeout in milliseconds; 0 is none.
    // Every name says where it is from: a role's search path may lead elsewhere.
    commands +=
        "; SELECT pg_catalog.set_config(name, least(CASE WHEN setting OPERATOR(pg_catalog.<>) '0' THEN "
        "setting::pg_catalog.int8 END, " +
        std::to_string(timeout) +
        ")::pg_catalog.text, true) FROM pg_catalog.pg_settings "
        "WHERE name OPERATOR(pg_catalog.=) 'statement_timeout'";
  }
  if (!search_path_.empty()) {
    commands += "; SELECT pg_catalog.set_config('search_path', " + literal(search_path_) + ", true)";
  }
  command(commands);
}

void Session::commit() {
  command("COMMIT");
}

void Session::rollback() {
  try {
    command("ROLLBACK");
  } catch (const par::Error&) {  // What was read stays read.
  }
}

Result Session::run(const std::string& statement, const Parameters& parameters) {
  send(PQsendQueryParams(connection_.get(), statement.c_str(), parameters.count(), nullptr,
                         parameters.pointers().data(), nullptr, nullptr, 0));
  return last();
}

bool Session::stream(const std::string& statement, const Parameters& parameters, uint64_t max_row_bytes,
                     const std::function<void(const PGresult*)>& columns,
                     const std::function<bool(const PGresult*)>& row) {
  send(PQsendQueryParams(connection_.get(), statement.c_str(), parameters.count(), nullptr,
                         parameters.pointers().data(), nullptr, nullptr, 0));
  PQsetSingleRowMode(connection_.get());
  bool described = false;
  while (arrive(max_row_bytes)) {
    const Result result(PQgetResult(connection_.get()));
    if (result == nullptr) {
      running_ = false;
      return true;
    }
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) fail(result.get());
    if (!std::exchange(described, true)) columns(result.get());
    if (status == PGRES_SINGLE_TUPLE && !row(result.get())) return false;
  }
  return false;
}

void Session::prepare(const std::string& statement) {
  send(PQsendPrepare(connection_.get(), "", statement.c_str(), 0, nullptr));
  last();
}

Result Session::describe(const std::string& statement) {
  prepare(statement);
  send(PQsendDescribePrepared(connection_.get(), ""));
  return last();
}

void Session::run_for_each(const std::vector<Parameters>& rows,
                           const std::function<void(const PGresult*)>& done) {
  if (PQenterPipelineMode(connection_.get()) != 1) lose();
  for (size_t begin = 0; begin < rows.size(); begin += k_batch) {
    const size_t end = std::min(rows.size(), begin + k_batch);
    for (size_t at = begin; at < end; ++at) {
      send(PQsendQueryPrepared(connection_.get(), "", rows[at].count(), rows[at].pointers().data(), nullptr,
                               nullptr, 0));
    }
    send(PQpipelineSync(connection_.get()));
    for (size_t at = begin; at < end; ++at) done(last().get());
    arrive(k_unbounded);
    if (const Result synced(PQgetResult(connection_.get()));
        PQresultStatus(synced.get()) != PGRES_PIPELINE_SYNC)
      lose();
  }
  if (PQexitPipelineMode(connection_.get()) != 1) lose();
}

void Session::command(const std::string& commands) {
  send(PQsendQuery(connection_.get(), commands.c_str()));
  last();
}

std::string Session::literal(const std::string& text) const {
  char* const quoted = PQescapeLiteral(connection_.get(), text.data(), text.size());
  if (quoted == nullptr) lose();
  const std::unique_ptr<char, decltype(&PQfreemem)> owner(quoted, PQfreemem);
  return quoted;
}

Session::Woken Session::poll(int socket, short events, std::optional<Clock::time_point> limit,
                             bool with_cancel) const {
  pollfd watched[] = {{socket, events, 0}, {cancel_.descriptor(), POLLIN, 0}};
  int timeout = -1;
  if (limit) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*limit - Clock::now());
    timeout = static_cast<int>(std::max<int64_t>(left.count(), 0));
  }
  const int ready = ::poll(watched, with_cancel ? 2 : 1, timeout);
  if (ready < 0) return Woken::ready;  // interrupted: libpq finds out that there is nothing yet
  if (watched[1].revents != 0) return Woken::cancelled;
  return ready == 0 ? Woken::timeout : Woken::ready;
}

/// Waits for the socket. At cancel the server is asked to end the statement, and its answer is awaited.
void Session::wait(short events) {
  while (true) {
    std::optional<Clock::time_point> limit;
    if (give_up_) limit = std::min(*give_up_, Clock::now() + k_cancel_interval);
    if (poll(PQsocket(connection_.get()), events, limit, !give_up_) == Woken::ready) return;
    const auto now = Clock::now();
    if (!give_up_) give_up_ = now + k_cancel_patience;
    if (now >= *give_up_) {
      throw par::Error(PAR_CANCELLED,
                       "the server did not confirm in time that the statement was cancelled; it may "
                       "still run there");
    }
    cancel_requests_.send(connection_.get());
  }
}

/// Goes on after a function of libpq that queues a request: writes all of it.
void Session::send(int accepted) {
  if (accepted != 1) lose();
  running_ = true;
  int left = PQflush(connection_.get());
  while (left == 1) {
    wait(POLLIN | POLLOUT);
    if (PQconsumeInput(connection_.get()) != 1) lose();
    left = PQflush(connection_.get());
  }
  if (left != 0) lose();
}

/// Waits until PQgetResult() does not block. False if more than `max_bytes` have come and it still would.
/// libpq reads as long as the system has data, so a server on this machine may get more of a row in before
/// that shows.
bool Session::arrive(uint64_t max_bytes) {
  const int socket = PQsocket(connection_.get());
  const bool bounded = max_bytes != k_unbounded;
  const uint64_t before = bounded && PQisBusy(connection_.get()) != 0 ? received_bytes(socket) : 0;
  while (PQisBusy(connection_.get()) != 0) {
    wait(POLLIN);
    if (PQconsumeInput(connection_.get()) != 1) lose();
    if (bounded && received_bytes(socket) - before > max_bytes + k_socket_buffer) return false;
  }
  return true;
}

Result Session::last() {
  Result last;
  while (arrive(k_unbounded)) {
    Result result(PQgetResult(connection_.get()));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail(result.get());
    last = std::move(result);
  }
  if (last == nullptr) lose();
  running_ = false;
  return last;
}

void Session::fail(const PGresult* result) {
  running_ = false;
  const std::string text = error_text(result);
  if (call_.cancelled()) throw par::Error(PAR_CANCELLED, "PostgreSQL ended the statement: " + text);
  throw par::Error(text);
}

void Session::lose() const {
  const std::string text = message_text(PQerrorMessage(connection_.get()));
  throw par::Error(call_.cancelled() ? PAR_CANCELLED : PAR_CONNECT,
                   "the connection to PostgreSQL was lost: " + text);
}

}  // namespace postgresql_plugin
