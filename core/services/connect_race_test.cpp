// How connections to hosts with several addresses come about.

#include <chrono>
#include <map>
#include <mutex>

#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/full_listener.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

constexpr uint16_t k_refuses = 1;  // nothing listens there

// A client for which the name many.test has these addresses, each of them in truth a port of 127.0.0.1.
struct Many {
  explicit Many(std::vector<std::pair<std::string, uint16_t>> given)
      : addresses(std::move(given)), fixture({}, hooks()) {}

  HttpClientHooks hooks() {
    HttpClientHooks out;
    out.lookup = [this](const std::string&) -> Result<std::vector<std::string>> {
      std::vector<std::string> names;
      for (const auto& [address, port] : addresses) names.push_back(address);
      return names;
    };
    out.dial = [this](const std::string& address, uint16_t) {
      const std::lock_guard lock(mutex);
      dialled.push_back(address);
      const std::map<std::string, uint16_t> ports(addresses.begin(), addresses.end());
      return std::pair(std::string("127.0.0.1"), ports.at(address));
    };
    return out;
  }

  static HttpRequest request(std::string_view url = "http://many.test/") {
    HttpRequest out;
    out.url = url;
    out.connect_timeout = 60s;
    return out;
  }

  std::vector<std::pair<std::string, uint16_t>> addresses;
  std::mutex mutex;
  std::vector<std::string> dialled;
  ClientFixture fixture;
};

}  // namespace

TEST_CASE("An address that leads nowhere costs its head start, not its time limit") {
  const FullListener dead;
  ScriptedServer server(always("ok"));
  const auto start = std::chrono::steady_clock::now();
  {
    Many many({{"10.0.0.1", dead.port()}, {"10.0.0.2", dead.port()}, {"10.0.0.3", server.port()}});
    const auto answer = many.fixture.get(Many::request());
    INFO(failure_of(answer));
    REQUIRE(answer);
    CHECK(answer->body == "ok");
    CHECK(many.dialled.size() == 3);
  }
  {
    Many many({{"10.0.0.1", dead.port()}, {"10.0.0.3", server.port()}});
    const auto answer = many.fixture.fetch(Many::request());
    INFO(failure_of(answer));
    REQUIRE(answer);
    CHECK(many.dialled.size() == 2);
  }
  CHECK(std::chrono::steady_clock::now() - start < 30s);
}

TEST_CASE("An address that refuses is followed by the next one at once, and one that answers by none") {
  ScriptedServer server(always("ok"));
  Many many({{"10.0.0.1", k_refuses}, {"10.0.0.2", server.port()}, {"10.0.0.3", server.port()}});
  CHECK(many.fixture.get(Many::request()));
  CHECK(many.dialled == std::vector<std::string>{"10.0.0.1", "10.0.0.2"});
  CHECK(server.connections() == 1);
}

TEST_CASE("Address families take turns") {
  Many many({{"fd00::1", k_refuses},
             {"fd00::2", k_refuses},
             {"fd00::3", k_refuses},
             {"10.0.0.1", k_refuses},
             {"10.0.0.2", k_refuses}});
  const auto answer = many.fixture.get(Many::request());
  REQUIRE(!answer);
  CHECK(answer.error().kind == HttpFailure::connect);
  CHECK(many.dialled == std::vector<std::string>{"fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2", "fd00::3"});
}

TEST_CASE("Each attempt has its limit, and the deadline ends all of them") {
  const FullListener dead;
  Many many({{"10.0.0.1", dead.port()}, {"10.0.0.2", dead.port()}});
  HttpRequest request = Many::request();
  request.connect_timeout = 50ms;
  const auto limited = many.fixture.get(request);
  REQUIRE(!limited);
  CHECK(limited.error().kind == HttpFailure::connect);
  CHECK(limited.error().message ==
        "time limit reached while connecting to many.test (address 10.0.0.2) (limit of 0.05 s for a "
        "connection)");
  CHECK(many.dialled.size() == 2);

  request.connect_timeout = 60s;
  for (const bool blocking : {true, false}) {
    request.deadline = std::chrono::steady_clock::now() + 400ms;
    const auto late = blocking ? many.fixture.get(request) : many.fixture.fetch(request);
    REQUIRE(!late);
    CHECK(late.error().kind == HttpFailure::deadline);
  }
}

TEST_CASE("A connection that opens but does not get through TLS gives way to the next address") {
  ScriptedServer silent([](Peer& peer) { peer.wait_for_close(); });
  const TestCa ca;
  ScriptedServer server(always("ok"), ca.issue({"many.test"}));
  Many many({{"10.0.0.1", silent.port()}, {"10.0.0.2", server.port()}});
  HttpRequest request = Many::request("https://many.test/");
  request.verify_certificate = false;
  request.connect_timeout = 2s;  // of which the second attempt gets its own
  const auto answer = many.fixture.get(request);
  INFO(failure_of(answer));
  CHECK(answer);
}

TEST_CASE("At most eight attempts are under way at once") {
  const FullListener dead;
  ScriptedServer server(always("ok"));
  std::vector<std::pair<std::string, uint16_t>> addresses;
  for (int i = 1; i <= 8; ++i) addresses.emplace_back("10.0.0." + std::to_string(i), dead.port());
  addresses.emplace_back("10.0.0.9", server.port());
  Many many(addresses);
  HttpRequest request = Many::request();
  request.deadline = std::chrono::steady_clock::now() + 2500ms;  // a ninth would begin after 2 s
  CHECK(!many.fixture.get(request));
  CHECK(many.dialled.size() <= 8);
  request.deadline.reset();
  request.connect_timeout = 2200ms;
  CHECK(many.fixture.get(request));
}
