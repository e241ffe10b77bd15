// Servers that never end, answer too early, or say more than they were asked: the memory stays bounded, and
// what they say is taken for what it is.

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

// Far more than what the buffers of two sockets take on their own, far less than what a fast server can send.
constexpr size_t k_much = 32u << 20;

struct Endless {
  // Says `first` and then `again` until the client closes.
  Endless(std::string first, std::string again)
      : server([this, first = std::move(first), again = std::move(again)](Peer& peer) {
          peer.read_request();
          peer.send(first);
          std::string block;
          while (block.size() < 65536) block += again;
          while (peer.send(block) && sent < 10 * k_much) sent += block.size();
        }) {}
  std::atomic<size_t> sent{0};
  ScriptedServer server;
};

HttpError refusal(Result<HttpAnswer, HttpError> result) {
  INFO(failure_of(result));
  REQUIRE(!result);
  return result.error();
}

HttpRequest request_for(const std::string& url, std::string_view method = "GET") {
  HttpRequest request;
  request.url = url;
  request.method = method;
  request.max_body_bytes = 1u << 20;
  request.deadline = std::chrono::steady_clock::now() + 60s;
  return request;
}

const std::string k_chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("Whatever has no end is given up at a limit") {
  struct Case {
    const char* what;
    std::string first;
    std::string again;
  };
  const auto test = GENERATE(
      Case{"headers", "HTTP/1.1 200 OK\r\n", "A: b\r\n"}, Case{"reason", "HTTP/1.1 200 ", "r"},
      Case{"one header", "HTTP/1.1 200 OK\r\nA: ", "b"},
      Case{"interim answers", "", "HTTP/1.1 103 Hint\r\n\r\n"},
      Case{"body without length", "HTTP/1.1 200 OK\r\n\r\n", "x"},
      Case{"body with length", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", "x"},
      Case{"chunks", k_chunked, "3\r\nabc\r\n"}, Case{"one chunk", k_chunked + "ffffffffffffff\r\n", "x"},
      Case{"chunk extension", k_chunked + "3;x=\"", "y"}, Case{"trailer", k_chunked + "0\r\n", "A: b\r\n"},
      Case{"nothing known", "", std::string("\0", 1)});
  INFO(test.what);
  Endless endless(test.first, test.again);
  ClientFixture fixture;
  const std::string url = endless.server.url();
  for (int round = 0; round < 2; ++round) {
    endless.sent = 0;
    const auto error = refusal(round == 0 ? fixture.get(request_for(url)) : fixture.fetch(request_for(url)));
    CHECK((error.kind == HttpFailure::limit || error.kind == HttpFailure::protocol));
    CHECK(endless.sent < k_much);
  }
}

TEST_CASE("The body of a redirect that has no end is not waited for") {
  std::atomic<size_t> sent{0};
  ScriptedServer server([&](Peer& peer) {
    if (peer.read_request().starts_with("GET /end")) return peer.answer("end");
    peer.send("HTTP/1.1 302 Found\r\nLocation: /end\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.send("8\r\nabcdefgh\r\n") && sent < k_much) sent += 13;
  });
  ClientFixture fixture;
  const std::string url = server.url();
  auto request = request_for(url);
  request.follow_redirects = true;
  CHECK(fixture.get(request)->body == "end");
  CHECK(sent < k_much);
}

TEST_CASE("A server that answers while it is still sent a body, and takes no more of it, is heard") {
  const bool tls = GENERATE(false, true);
  INFO("tls: " << tls);
  const TestCa ca;
  std::atomic<bool> over{false};
  const auto script = [&](Peer& peer) {
    peer.read(100);
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    while (!over) std::this_thread::sleep_for(2ms);
  };
  ScriptedServer plain(script);
  ScriptedServer secure(script, ca.issue({"127.0.0.1"}));
  const ScriptedServer& server = tls ? secure : plain;
  const auto end = std::shared_ptr<void>(nullptr, [&](void*) { over = true; });
  ClientFixture fixture;
  const std::string url = server.url();
  const std::string& authority = ca.pem();
  const std::string body(64u << 20, 'b');
  auto request = request_for(url, "POST");
  request.ca_pem = authority;
  request.has_body = true;
  request.body = {body};
  for (int round = 0; round < 2; ++round) {
    const auto answer = round == 0 ? fixture.get(request) : fixture.fetch(request, body);
    INFO(failure_of(answer));
    REQUIRE(answer);
    CHECK(answer->head.status == 413);
    CHECK(answer->body == "no");
  }
  CHECK(server.connections() == 2);  // none is used again, and nothing is repeated
}

TEST_CASE("Interim answers in the middle of a body do not end it") {
  const std::string body(16u << 20, 'b');
  ScriptedServer server([&](Peer& peer) {
    for (;;) {
      std::string got = peer.read(1000);
      if (got.empty()) return;
      peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n");
      got += peer.read(body.size() / 2);
      peer.send("HTTP/1.1 103 Early Hints\r\n\r\n");
      got += peer.read(got.find("\r\n\r\n") + 4 + body.size() - got.size());
      peer.answer(got.ends_with(body) ? "all" : "not all");
    }
  });
  ClientFixture fixture;
  const std::string url = server.url();
  auto request = request_for(url, "POST");
  request.has_body = true;
  request.body = {body};
  for (int round = 0; round < 3; ++round) {
    const auto answer = round == 2 ? fixture.fetch(request, body) : fixture.get(request);
    INFO(failure_of(answer));
    REQUIRE(answer);
    CHECK(answer->body == "all");
  }
  CHECK(server.connections() == 2);  // one for open(), used twice, one for fetch()
}

TEST_CASE("Bytes behind an answer in the same flight are never taken for the next one") {
  const bool tls = GENERATE(false, true);
  INFO("tls: " << tls);
  const TestCa ca;
  const auto script = [](Peer& peer) {
    peer.read_request();
    peer.hold_back(true);
    peer.answer("mine");
    peer.answer("forged");
    peer.hold_back(false);
    peer.wait_for_close();
  };
  ScriptedServer plain(script);
  ScriptedServer secure(script, ca.issue({"127.0.0.1"}));
  const ScriptedServer& server = tls ? secure : plain;
  ClientFixture fixture;
  const std::string url = server.url();
  const std::string& authority = ca.pem();
  auto request = request_for(url);
  request.ca_pem = authority;
  for (int round = 0; round < 20; ++round) CHECK(fixture.get(request)->body == "mine");
  CHECK(server.connections() == 20);
}
