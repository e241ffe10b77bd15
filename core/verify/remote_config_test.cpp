#include "core/verify/remote_config.hpp"

#include <mutex>

#include <sys/stat.h>

#include "core/identity/identity.hpp"
#include "core/services/testing/client_fixture.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "core/verify/key_source_test.hpp"
#include "core/verify/remote_config_test_backend.hpp"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;
using namespace par::core::testing;

namespace {

constexpr const char* k_jwk =
    R"({"kty":"EC","crv":"P-256","x":"VWv_iBSRq8sttZIjwRUT0B8O3V_gdGwOyNMLjvQViwE",)"
    R"("y":"B45Daz-qyJLu8BZvyWFjGf3qz4CvSFWhBqf0lJgzHsA","d":"L2irGLHhcBkfeJnhfyUPpB0yFuUCcVIxuvuzWOz7EsQ"})";

// A runner's side with a server that answers whatever `answer` holds.
struct Fixture {
  RemoteConfigSettings settings() {
    RemoteConfigSettings result;
    result.origin = server.url("");
    result.site = "test";
    result.version = "1.21.0";
    result.stored_root = directory.path / "remote_config_root.json";
    result.interval = Milliseconds(10);
    result.first_interval = Milliseconds(10);
    return result;
  }
  void set_answer(int code, std::string content) {
    const std::lock_guard lock(mutex);
    status = code;
    body = std::move(content);
  }
  void start(RemoteConfigSettings with) {
    source =
        std::make_unique<RemoteConfigKeys>(http.control, http.client, tokens, lines.log, std::move(with),
                                           [] { return SystemTime(std::chrono::seconds(1'767'225'600)); });
    source->start([this](auto keys) { sets.push_back(std::move(keys)); });
  }
  bool next_set() {
    const size_t before = sets.size();
    return run_until(http.control, [&] { return sets.size() > before; });
  }
  bool problem_says(const std::string& text) {
    return run_until(http.control, [&] { return source->problem().find(text) != std::string::npos; });
  }
  bool logged(const std::string& text) {
    return run_until(http.control, [&] { return lines.text().find(text) != std::string::npos; });
  }
  void stop() {
    source->stop();
    http.control.restart();
    http.control.poll();
  }

  TemporaryDirectory directory;
  TestLog lines;
  std::mutex mutex;
  int status = 200;
  std::string body;
  ScriptedServer server{[this](Peer& peer) {
    while (!peer.read_request().empty()) {
      const std::lock_guard lock(mutex);
      peer.send(fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n", status, body.size()) + body);
    }
  }};
  RequestTokens tokens{RunnerUrn{"us1", 4242, "runner-1"},
                       PrivateKey::from_config(base64url_encode(k_jwk)).value()};
  ClientFixture http;
  std::vector<std::shared_ptr<const KeySet>> sets;
  std::unique_ptr<RemoteConfigKeys> source;
};

}  // namespace

TEST_CASE("keys are fetched, and the first root is trusted and stored") {
  Fixture test;
  Backend backend;
  test.set_answer(200, backend.answer());
  test.start(test.settings());
  CHECK_THAT(test.source->problem(), Catch::Contains("waiting for the first answer"));
  REQUIRE(test.next_set());
  CHECK(test.sets.back()->find("key-a") != nullptr);
  CHECK(test.source->problem().empty());

  const std::string request = test.server.requests().front();
  CHECK_THAT(request, Catch::StartsWith("POST /api/v0.1/configurations HTTP/1.1\r\n"));
  CHECK_THAT(request, Catch::Contains("\r\nDD-PAR-JWT: eyJ"));
  CHECK_THAT(request, Catch::Contains("\r\nContent-Type: application/x-protobuf\r\n"));
  wire::LatestConfigsRequest message;
  REQUIRE(message.ParseFromString(request.substr(request.find("\r\n\r\n") + 4)));
  CHECK(std::vector<std::string>(message.tags().begin(), message.tags().end()) ==
        std::vector<std::string>{"site:test", "runner-id:runner-1"});

  const auto stored = test.settings().stored_root;
  struct stat info {};
  REQUIRE(::stat(stored.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK_THAT(test.lines.text(), Catch::Contains("the first one received is trusted"));
  test.stop();

  // A later start trusts only that root.
  TestRepository stranger;
  stranger.root_keys = stranger.root_signers = "x";
  backend.config = backend.director = stranger;
  test.set_answer(200, backend.answer());
  test.start(test.settings());
  CHECK(test.problem_says("another content"));
  CHECK(test.sets.size() == 1);
  test.stop();
}

TEST_CASE("a refused update and an outage keep the last keys") {
  Fixture test;
  Backend backend;
  test.set_answer(200, backend.answer());
  test.start(test.settings());
  REQUIRE(test.next_set());
  const size_t count = test.sets.size();

  backend.next_version();
  backend.director.targets_signers = "a";
  test.set_answer(200, backend.answer());
  CHECK(test.logged("update refused, nothing changed: director repository, targets: wrong signature"));
  test.set_answer(503, "down");
  CHECK(test.logged("answered HTTP 503: down"));
  test.set_answer(200, "");
  const size_t requests = test.server.requests().size();
  REQUIRE(run_until(test.http.control, [&] { return test.server.requests().size() > requests + 2; }));
  CHECK(test.source->problem().empty());
  CHECK(test.sets.size() >= count);
  CHECK(test.sets.back()->find("key-a") != nullptr);

  backend.director.targets_signers = "g";
  backend.set_files({{"datadog/4242/AP_RUNNER_KEYS/key-b/config", Ed25519Signer('b').json()}});
  test.set_answer(200, backend.answer());
  REQUIRE(run_until(test.http.control, [&] { return test.sets.back()->find("key-b") != nullptr; }));
  CHECK(test.sets.back()->size() == 1);
  test.stop();
}

TEST_CASE("every change of the keys is logged once, also of the same number") {
  constexpr const char* k_line = "signing keys updated";
  Fixture test;
  Backend backend;
  const auto logged = [&] {
    size_t count = 0;
    const std::string text = test.lines.text();
    for (size_t at = text.find(k_line); at != std::string::npos; at = text.find(k_line, at + 1)) ++count;
    return count;
  };
  const auto publish = [&](const std::string& path, char letter) {
    backend.next_version();
    backend.set_files({{path, Ed25519Signer(letter).json()}});
    test.set_answer(200, backend.answer());
  };
  test.set_answer(200, backend.answer());
  test.start(test.settings());
  REQUIRE(test.next_set());
  REQUIRE(test.next_set());
  CHECK(logged() == 1);
  publish("datadog/4242/AP_RUNNER_KEYS/key-b/config", 'b');  // another key
  CHECK(run_until(test.http.control, [&] { return logged() == 2; }));
  CHECK_THAT(test.lines.text(), Catch::Contains("key_ids=key-b"));
  publish("datadog/4242/AP_RUNNER_KEYS/key-b/config", 'c');  // another content under the same id
  CHECK(run_until(test.http.control, [&] { return logged() == 3; }));
  backend.next_version();  // only newer proofs of the same
  test.set_answer(200, backend.answer());
  REQUIRE(test.next_set());
  REQUIRE(test.next_set());
  CHECK(logged() == 3);
  test.stop();
}

TEST_CASE("why there is no key is told") {
  Fixture test;
  test.set_answer(403, "");
  test.start(test.settings());
  CHECK(test.problem_says("refuses this runner (HTTP 403)"));
  test.set_answer(200, "\xff");
  CHECK(test.problem_says("not the expected protobuf message"));
  test.stop();
}

TEST_CASE("a pinned root is used, and a broken one is never replaced") {
  Fixture test;
  const Backend backend;
  test.set_answer(200, backend.answer());
  RemoteConfigSettings settings = test.settings();
  settings.pinned_root = test.directory.path / "root.json";
  test.start(settings);
  CHECK(test.problem_says("remoteConfigRoot: "));
  test.directory.write("root.json", R"({"config":{}})");
  CHECK(test.problem_says("it has one of 'config' and 'director'"));
  CHECK(test.server.requests().empty());

  SECTION("one document for both") {
    test.directory.write("root.json", backend.config.root());
  }
  SECTION("one document each") {
    test.directory.write("root.json", fmt::format(R"({{"config":{},"director":{}}})", backend.config.root(),
                                                  backend.director.root()));
  }
  REQUIRE(test.next_set());
  CHECK(test.sets.back()->size() == 1);
  CHECK_FALSE(std::filesystem::exists(settings.stored_root));
  test.stop();
}

TEST_CASE("a root that cannot be stored is kept in memory") {
  Fixture test;
  test.set_answer(200, Backend().answer());
  RemoteConfigSettings settings = test.settings();
  settings.stored_root = test.directory.path / "missing" / "root.json";
  test.start(settings);
  REQUIRE(test.next_set());
  CHECK_THAT(test.lines.text(), Catch::Contains("kept in memory only"));
  test.stop();
}

TEST_CASE("stop ends a request that is not answered") {
  Fixture test;
  ScriptedServer silent([](Peer& peer) {
    peer.read_request();
    peer.wait_for_close();
  });
  RemoteConfigSettings settings = test.settings();
  settings.origin = silent.url("");
  test.start(settings);
  REQUIRE(run_until(test.http.control, [&] { return !silent.requests().empty(); }));
  test.stop();
  CHECK(run_until(test.http.control, [&] { return test.http.control.poll() == 0; }));
  CHECK(test.sets.empty());
}
