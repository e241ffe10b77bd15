// Time limits and cancellation at every step.

#include <chrono>
#include <thread>

#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/full_listener.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

enum class Step { lookup, connect, tls, head, slow_head, body, dripping_body };

// A client and a server that together never get beyond one step.
struct Stuck {
  explicit Stuck(Step stuck_step) : step(stuck_step), fixture({}, hooks()) {}

  HttpClientHooks hooks() {
    HttpClientHooks out;
    if (step == Step::lookup) {
      out.lookup = [over = over](const std::string&) -> Result<std::vector<std::string>> {
        while (!*over) std::this_thread::sleep_for(5ms);
        return fail("over");
      };
    }
    return out;
  }
  ~Stuck() { *over = true; }

  std::string url() {
    if (step == Step::lookup) return "http://slow.test/";
    if (step == Step::connect) return "http://127.0.0.1:" + std::to_string(full.port()) + "/";
    if (step == Step::tls) return "https://127.0.0.1:" + std::to_string(server.port()) + "/";
    return server.url();
  }

  void talk(Peer& peer) {
    if (step == Step::tls) return peer.wait_for_close();
    peer.read_request();
    if (step == Step::head) return peer.wait_for_close();
    if (step == Step::body) {
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      return peer.wait_for_close();
    }
    peer.send(step == Step::slow_head ? "HTTP/1.1 200 OK\r\nX: "
                                      : "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (!*over) {
      peer.send("x");
      std::this_thread::sleep_for(10ms);
    }
  }

  Step step;
  std::shared_ptr<std::atomic<bool>> over = std::make_shared<std::atomic<bool>>(false);
  ScriptedServer server{[this](Peer& peer) { talk(peer); }};
  FullListener full;
  ClientFixture fixture;
};

const auto k_steps = {Step::lookup,    Step::connect, Step::tls,          Step::head,
                      Step::slow_head, Step::body,    Step::dripping_body};

}  // namespace

TEST_CASE("The deadline ends an exchange at every step") {
  for (const Step step : k_steps) {
    INFO("step " << static_cast<int>(step));
    Stuck stuck(step);
    const std::string url = stuck.url();
    HttpRequest request;
    request.url = url;
    const auto start = std::chrono::steady_clock::now();
    request.deadline = start + 100ms;
    const auto opened = stuck.fixture.get(request);
    INFO(failure_of(opened));
    REQUIRE(!opened);
    CHECK(opened.error().kind == HttpFailure::deadline);
    request.deadline = std::chrono::steady_clock::now() + 100ms;
    const auto fetched = stuck.fixture.fetch(request);
    REQUIRE(!fetched);
    CHECK(fetched.error().kind == HttpFailure::deadline);
    CHECK(std::chrono::steady_clock::now() - start < 10s);
    *stuck.over = true;
  }
}

TEST_CASE("A cancel ends an exchange at every step") {
  for (const Step step : k_steps) {
    INFO("step " << static_cast<int>(step));
    Stuck stuck(step);
    const std::string url = stuck.url();
    HttpRequest request;
    request.url = url;
    request.connect_timeout = 60s;
    std::stop_source stop;
    std::jthread canceller([&] {
      std::this_thread::sleep_for(60ms);
      stop.request_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    const auto opened = stuck.fixture.get(request, EgressPolicy::unrestricted(), stop.get_token());
    INFO(failure_of(opened));
    REQUIRE(!opened);
    CHECK(opened.error().kind == HttpFailure::cancelled);

    std::optional<Result<HttpAnswer, HttpError>> fetched;
    auto handle =
        stuck.fixture.client.fetch(request, nullptr, [&](auto result) { fetched = std::move(result); });
    stuck.fixture.control.restart();
    stuck.fixture.control.run_for(50ms);
    CHECK(!fetched);
    handle.cancel();
    CHECK(!fetched);
    stuck.fixture.control.restart();
    while (!fetched) stuck.fixture.control.run_one();
    REQUIRE(!*fetched);
    CHECK(fetched->error().kind == HttpFailure::cancelled);
    handle.cancel();
    CHECK(std::chrono::steady_clock::now() - start < 10s);
    *stuck.over = true;
  }
}

TEST_CASE("The limit for a connection holds for dialling and TLS, not for the answer") {
  for (const Step step : {Step::connect, Step::tls}) {
    Stuck stuck(step);
    const std::string url = stuck.url();
    HttpRequest request;
    request.url = url;
    request.connect_timeout = 100ms;
    const auto opened = stuck.fixture.get(request);
    INFO(failure_of(opened));
    REQUIRE(!opened);
    CHECK(opened.error().kind == HttpFailure::connect);
    *stuck.over = true;
  }
  ScriptedServer slow([](Peer& peer) {
    peer.read_request();
    std::this_thread::sleep_for(300ms);
    peer.answer("ok");
  });
  ClientFixture fixture;
  HttpRequest request;
  const std::string url = slow.url();
  request.url = url;
  request.connect_timeout = 100ms;
  CHECK(fixture.get(request));
  CHECK(fixture.fetch(request));
}

TEST_CASE("An exchange that was cancelled before it began does nothing") {
  ScriptedServer server(always("ok"));
  ClientFixture fixture;
  std::stop_source stop;
  stop.request_stop();
  HttpRequest request;
  const std::string url = "http://localhost.test:" + std::to_string(server.port()) + "/";
  request.url = url;
  const auto opened = fixture.get(request, EgressPolicy::unrestricted(), stop.get_token());
  REQUIRE(!opened);
  CHECK(opened.error().kind == HttpFailure::cancelled);
}

TEST_CASE("One slow lookup delays no other, and is left behind by a client that goes") {
  std::atomic<bool> over{false};
  auto ended = std::make_shared<std::atomic<int>>(0);
  ScriptedServer server(always("ok"));
  {
    HttpClientHooks hooks;
    hooks.lookup = [&over, ended](const std::string& host) -> Result<std::vector<std::string>> {
      while (host == "slow.test" && !over) std::this_thread::sleep_for(2ms);
      if (host == "slow.test") ++*ended;
      return std::vector<std::string>{"127.0.0.1"};
    };
    ClientFixture fixture({}, hooks);
    HttpRequest slow;
    slow.url = "http://slow.test/";
    int answers = 0;
    for (int i = 0; i < 10; ++i) fixture.client.fetch(slow, nullptr, [&](auto) { ++answers; });
    fixture.control.run_for(20ms);
    HttpRequest quick;
    const std::string url = "http://quick.test:" + std::to_string(server.port()) + "/";
    quick.url = url;
    quick.deadline = std::chrono::steady_clock::now() + 20s;
    CHECK(fixture.get(quick));
    CHECK(fixture.fetch(quick));
    CHECK(answers == 0);
  }
  over = true;
  while (*ended < 10) std::this_thread::sleep_for(2ms);
}

TEST_CASE("Hundreds of fetches run side by side") {
  ScriptedServer server([](Peer& peer) {
    while (!peer.read_request().empty()) {
      std::this_thread::sleep_for(50ms);
      peer.answer("ok");
    }
  });
  ClientFixture fixture;
  const std::string url = server.url();
  size_t good = 0;
  size_t all = 0;
  for (int i = 0; i < 200; ++i) {
    HttpRequest request;
    request.url = url;
    request.deadline = std::chrono::steady_clock::now() + 60s;
    fixture.client.fetch(request, nullptr, [&](auto result) {
      ++all;
      if (result) ++good;
    });
  }
  while (all < 200) fixture.control.run_one();
  CHECK(good == 200);
}

TEST_CASE("A client may go while fetches are under way; their handlers are not called") {
  for (const Step step : k_steps) {
    bool called = false;
    Stuck stuck(step);
    const std::string url = stuck.url();
    {
      ClientFixture other({}, stuck.hooks());
      HttpRequest request;
      request.url = url;
      request.deadline = std::chrono::steady_clock::now() + 60s;
      other.client.fetch(request, nullptr, [&](auto) { called = true; });
      other.control.run_for(30ms);
      other.client.fetch(request, nullptr, [&](auto) { called = true; });
    }
    CHECK(!called);
    *stuck.over = true;
    if (step == Step::lookup) std::this_thread::sleep_for(30ms);
  }
}
