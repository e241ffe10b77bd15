#include <chrono>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

TEST_CASE("open() gives status, headers in wire order and the body") {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.send(
        "HTTP/1.1 418 I'm a  teapot\r\nB: 2\r\na: 1\r\nB: 3\r\nEmpty:\r\nContent-Length: 5\r\n\r\nhello");
  });
  ClientFixture fixture;
  const auto answer = fixture.get(server.url("/a%2Fb?q=%20"));
  INFO(failure_of(answer));
  REQUIRE(answer);
  CHECK(answer->head.status == 418);
  CHECK(answer->head.reason == "I'm a  teapot");
  REQUIRE(answer->head.headers.size() == 5);
  CHECK(answer->head.headers[0].name == "B");
  CHECK(answer->head.headers[1].name == "a");
  CHECK(answer->head.headers[2].value == "3");
  CHECK(answer->head.headers[3].value.empty());
  CHECK(answer->body == "hello");
  CHECK(answer->head.final_url == server.url("/a%2Fb?q=%20"));
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  CHECK(server.requests().at(0) ==
        "GET /a%2Fb?q=%20 HTTP/1.1\r\nHost: " + host + "\r\nAccept-Encoding: gzip, deflate\r\n\r\n");
}

TEST_CASE("fetch() answers on the control loop and keeps its connection") {
  ScriptedServer server(always("pong"));
  ClientFixture fixture;
  for (int round = 0; round < 3; ++round) {
    HttpRequest request;
    request.method = "POST";
    const std::string url = server.url("/x");
    request.url = url;
    request.has_body = true;
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const auto answer = fixture.fetch(request, "ping");
    INFO(failure_of(answer));
    REQUIRE(answer);
    CHECK(answer->head.status == 200);
    CHECK(answer->body == "pong");
  }
  CHECK(server.connections() == 1);
  CHECK(server.requests().at(2).ends_with("Content-Length: 4\r\n\r\nping"));
}

TEST_CASE("fetch() begins at once; its handler is called from the loop only") {
  ScriptedServer server(always("pong"));
  ClientFixture fixture;
  const std::string url = server.url();
  HttpRequest request;
  request.url = url;
  request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  REQUIRE(fixture.fetch(request));
  fixture.control.restart();

  std::optional<Result<HttpAnswer, HttpError>> answer;
  const auto keep = [&](auto result) { answer = std::move(result); };
  const auto run = [&] {
    while (!answer) fixture.control.run_one();
    return *std::exchange(answer, std::nullopt);
  };

  SECTION("on a connection that is there") {
    fixture.client.fetch(request, nullptr, keep);
    while (server.requests().size() < 2 && std::chrono::steady_clock::now() < *request.deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(server.requests().size() == 2);
    CHECK_FALSE(answer);
    CHECK(run());
  }
  SECTION("and cancelled before the loop has had a turn") {
    auto handle = fixture.client.fetch(request, nullptr, keep);
    handle.cancel();
    CHECK_FALSE(answer);
    const auto cancelled = run();
    REQUIRE_FALSE(cancelled);
    CHECK(cancelled.error().kind == HttpFailure::cancelled);
  }
  SECTION("and over before it could wait for anything") {
    request.url = "no URL";
    fixture.client.fetch(request, nullptr, keep);
    CHECK_FALSE(answer);
    const auto refused = run();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == HttpFailure::invalid);
  }
  SECTION("and too late from the start") {
    request.deadline = std::chrono::steady_clock::now();
    fixture.client.fetch(request, nullptr, keep);
    CHECK_FALSE(answer);
    const auto late = run();
    REQUIRE_FALSE(late);
    CHECK(late.error().kind == HttpFailure::deadline);
  }
}
