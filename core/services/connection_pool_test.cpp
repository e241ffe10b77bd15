#include "core/services/connection_pool.hpp"

#include "core/services/testing/scripted_server.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

// Opens connections to a server that says nothing and never closes.
struct Opener {
  std::unique_ptr<Connection> open(const std::string& key) {
    auto connection = std::make_unique<Connection>(key, "server");
    REQUIRE(connection->dial(IpAddress::parse("127.0.0.1").value(), server.port()));
    for (;;) {
      const auto open = connection->is_open();
      REQUIRE(open);
      if (*open) return connection;
    }
  }
  ScriptedServer server{[](Peer& peer) { peer.wait_for_close(); }};
};

}  // namespace

TEST_CASE("Of equal connections the last used one is taken first, and each only once") {
  Opener opener;
  ConnectionPool pool;
  auto first = opener.open("a");
  auto second = opener.open("a");
  const Connection* const last = second.get();
  pool.put(std::move(first));
  pool.put(std::move(second));
  CHECK(pool.take("b") == nullptr);
  CHECK(pool.take("a").get() == last);
  CHECK(pool.take("a") != nullptr);
  CHECK(pool.take("a") == nullptr);
}

TEST_CASE("Beyond the limit the connection that was idle for longest is closed") {
  Opener opener;
  ConnectionPool pool;
  for (size_t i = 0; i <= ConnectionPool::k_max_idle; ++i) pool.put(opener.open(std::to_string(i)));
  CHECK(pool.take("0") == nullptr);
  for (size_t i = 1; i <= ConnectionPool::k_max_idle; ++i) CHECK(pool.take(std::to_string(i)) != nullptr);
}

TEST_CASE("Connections are closed when they were idle for too long") {
  Opener opener;
  ConnectionPool pool;
  pool.put(opener.open("old"));
  auto young = opener.open("young");
  const auto put = std::chrono::steady_clock::now();
  pool.put(std::move(young));
  const auto limit = ConnectionPool::k_max_idle_time;
  CHECK(pool.sweep(put));
  CHECK(pool.sweep(put + limit - std::chrono::milliseconds(1)));  // the older one may be gone by now
  CHECK(pool.take("young") != nullptr);
  pool.put(opener.open("new"));
  CHECK_FALSE(pool.sweep(std::chrono::steady_clock::now() + limit));
  CHECK(pool.take("new") == nullptr);
}
