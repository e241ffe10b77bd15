#include <algorithm>
#include <array>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>

#include "core/services/http_exchange.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/fuzz/target.hpp"

using namespace par::core;

namespace {

constexpr uint64_t k_max_body = 1u << 20;

// The other side of a socket pair, on the exchange's own thread: whenever the exchange would wait for bytes,
// the next piece of the input arrives, and after the last one the peer closes.
class FuzzedPeer final : public Waiter {
 public:
  FuzzedPeer(FileDescriptor socket, std::string_view answer, size_t piece)
      : socket_(std::move(socket)), answer_(answer), piece_(piece) {}

  bool cancelled() const override { return false; }
  void wake() override {}

 private:
  bool suspend(WaitFor what, Sockets, SteadyTime, std::coroutine_handle<>, WaitEnd& end) override {
    end = what == WaitFor::wake ? WaitEnd::timeout : WaitEnd::ready;
    if (what == WaitFor::wake || !socket_) return false;
    std::array<char, 4096> request;
    while (::recv(socket_.get(), request.data(), request.size(), MSG_DONTWAIT) > 0) {
    }
    const ssize_t sent =
        ::send(socket_.get(), answer_.data(), std::min(piece_, answer_.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) {
      socket_.reset();
    } else {
      answer_.remove_prefix(static_cast<size_t>(sent));
    }
    return false;
  }

  FileDescriptor socket_;
  std::string_view answer_;
  size_t piece_;
};

struct Client {
  FileDescriptor null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Redactor redactor;
  Log log{null.get(), LogFormat::json, LogLevel::error, redactor};
  Dialer dialer{TrustStore::load({}).value(),
                {},
                log,
                [](const std::string&) -> Resolver::Addresses { return fail("nothing is resolved here"); },
                nullptr};
};

template <typename T>
T run(Task<T> task) {
  task.start();
  return task.take();
}

struct Result {
  bool answered = false;
  bool complete = false;
  HttpResponseHead head;
  std::string body;
};

Result exchange(Client& client, std::string_view method, std::string_view answer, size_t piece) {
  std::array<int, 2> pair{};
  PAR_FUZZ_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
  FuzzedPeer peer(FileDescriptor(pair[1]), answer, piece);
  ConnectionPool pool;
  HttpRequest request;
  request.method = method;
  request.url = "http://peer.test/";
  request.max_body_bytes = k_max_body;
  const Hop hop{parse_url(request.url).value(), std::string(method), {}};
  auto connection = std::make_unique<Connection>(
      client.dialer.route(request, hop, EgressPolicy::unrestricted())->key, "peer.test");
  connection->socket().fd = FileDescriptor(pair[0]);
  pool.put(std::move(connection));

  HttpExchange exchange(client.dialer, pool, EgressPolicy::unrestricted());
  Result result;
  const auto sent = run(exchange.send(peer, request));
  PAR_FUZZ_REQUIRE(sent || !sent.error().message.empty());
  if (!sent) return result;
  result.answered = true;
  result.head = exchange.head();
  for (;;) {
    const auto got = run(exchange.next(peer));
    PAR_FUZZ_REQUIRE(got || !got.error().message.empty());
    if (!got || got->empty()) {
      result.complete = got.has_value();
      break;
    }
    result.body += *got;
    PAR_FUZZ_REQUIRE(result.body.size() <= k_max_body);
  }
  // What ended stays ended, with the same result.
  const auto again = run(exchange.next(peer));
  PAR_FUZZ_REQUIRE(again.has_value() == result.complete && (!again || again->empty()));
  return result;
}

void check_head(const HttpResponseHead& head) {
  PAR_FUZZ_REQUIRE(head.status >= 200 && head.status <= 999);
  for (const auto& header : head.headers) {
    PAR_FUZZ_REQUIRE(!header.name.empty());
    for (const char c : header.name + header.value) PAR_FUZZ_REQUIRE(c != '\r' && c != '\n' && c != '\0');
  }
}

}  // namespace

// The first byte chooses the method and the size of the pieces, the rest is what the server says: through the
// client's own connection, exchange, parser and decoder. However it is cut, the answer must be the same.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static Client client;
  const std::string_view method = data[0] % 4 == 0 ? "HEAD" : data[0] % 4 == 1 ? "POST" : "GET";
  const auto answer = par::fuzz::text(data + 1, size - 1);
  const auto whole = exchange(client, method, answer, 1u << 16);
  const auto cut = exchange(client, method, answer, 1u + data[0] / 4);
  PAR_FUZZ_REQUIRE(whole.answered == cut.answered);
  if (!whole.answered) return 0;
  check_head(whole.head);
  check_head(cut.head);
  PAR_FUZZ_REQUIRE(whole.head.status == cut.head.status &&
                   whole.head.headers.size() == cut.head.headers.size());
  PAR_FUZZ_REQUIRE(whole.complete == cut.complete);
  if (whole.complete) PAR_FUZZ_REQUIRE(whole.body == cut.body);
  PAR_FUZZ_REQUIRE(method != "HEAD" || whole.body.empty());
  return 0;
}
