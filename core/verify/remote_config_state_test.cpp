#include "core/verify/remote_config_state.hpp"

#include "core/verify/remote_config_test_backend.hpp"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;
using namespace par::core::testing;

namespace {

const SystemTime k_now{std::chrono::seconds(1'767'225'600)};
const std::string k_path = Backend::k_path;

RemoteConfigState new_state() {
  return RemoteConfigState({"host", "client-1", "1.21.0", {"site:test"}, 4242});
}

wire::LatestConfigsRequest request_of(const RemoteConfigState& state) {
  wire::LatestConfigsRequest request;
  REQUIRE(request.ParseFromString(state.request(k_now)));
  return request;
}

RemoteConfigState state_with(const Backend& backend) {
  RemoteConfigState state = new_state();
  const auto update = state.apply(backend.answer(), k_now);
  if (!update) FAIL(update.error().message);
  REQUIRE(update->keys);
  return state;
}

// The next answer is refused and the one after it, in which nothing is wrong, is taken.
void check_refused(const Backend& bad, const std::string& text) {
  CAPTURE(text);
  RemoteConfigState state = state_with(Backend());
  const auto update = state.apply(bad.answer(), k_now);
  REQUIRE_FALSE(update);
  CHECK_THAT(update.error().message, Catch::Contains(text));
  const auto request = request_of(state);
  CHECK(request.has_error());
  CHECK_THAT(request.error(), Catch::Contains(text));
  CHECK(request.active_clients(0).state().has_error());
  CHECK(request.active_clients(0).state().targets_version() == 1);
  CHECK(request.active_clients(0).state().config_states_size() == 1);
  Backend good;
  good.next_version();
  CHECK(state.apply(good.answer(), k_now));
  CHECK_FALSE(request_of(state).has_error());
}

}  // namespace

TEST_CASE("the first request says who asks and what for") {
  const auto request = request_of(new_state());
  CHECK(request.hostname() == "host");
  CHECK(request.agent_version() == "7.50.0");
  REQUIRE(request.products_size() == 1);
  CHECK(request.products(0) == "AP_RUNNER_KEYS");
  CHECK(request.current_config_root_version() == 0);
  CHECK(request.current_director_root_version() == 0);
  REQUIRE(request.active_clients_size() == 1);
  const auto& client = request.active_clients(0);
  CHECK(client.id() == "client-1");
  CHECK(client.is_agent());
  CHECK(client.client_agent().name() == "private-action-runner");
  CHECK(client.client_agent().version() == "1.21.0");
  CHECK(client.products(0) == "AP_RUNNER_KEYS");
  CHECK(client.last_seen() == 1'767'225'600'000);
  CHECK_FALSE(request.has_error());
}

TEST_CASE("an answer gives keys, and the next request carries its state") {
  RemoteConfigState state = new_state();
  const auto update = state.apply(Backend().answer(), k_now);
  REQUIRE(update);
  CHECK(update->problems.empty());
  CHECK(update->roots_changed);
  REQUIRE(update->keys);
  CHECK(update->keys->size() == 1);
  REQUIRE(update->keys->find("key-a") != nullptr);
  CHECK(update->keys->find("key-a")->verify_digest(sha256("x"), Ed25519Signer('a').sign_digest_of("x")));

  const auto request = request_of(state);
  CHECK(request.current_config_root_version() == 1);
  CHECK(request.current_director_root_version() == 1);
  CHECK(request.current_config_snapshot_version() == 1);
  CHECK(request.backend_client_state() == "state");
  const auto& client = request.active_clients(0).state();
  CHECK(client.root_version() == 1);
  CHECK(client.targets_version() == 1);
  CHECK(client.backend_client_state() == "state");
  REQUIRE(client.config_states_size() == 1);
  CHECK(client.config_states(0).id() == "key-a");
  CHECK(client.config_states(0).version() == 3);
  CHECK(client.config_states(0).product() == "AP_RUNNER_KEYS");
}

TEST_CASE("an answer with nothing new keeps the keys") {
  RemoteConfigState state = state_with(Backend());
  for (const auto& answer : {std::string(), wire::LatestConfigsResponse().SerializeAsString()}) {
    const auto update = state.apply(answer, k_now);
    REQUIRE(update);
    CHECK(update->keys == nullptr);
  }
  Backend backend;  // new proofs, and the file is not sent again
  backend.next_version();
  backend.sent.clear();
  const auto update = state.apply(backend.answer(), k_now);
  REQUIRE(update);
  CHECK(update->keys->size() == 1);
  CHECK_FALSE(update->roots_changed);
}

TEST_CASE("every update is the full set") {
  RemoteConfigState state = state_with(Backend());
  Backend backend({{"datadog/4242/AP_RUNNER_KEYS/key-b/config", Ed25519Signer('b').json()},
                   {"employee/AP_RUNNER_KEYS/key-c/config", Ed25519Signer('c').json()},
                   {"datadog/4242/OTHER_PRODUCT/x/config", "not ours"}});
  backend.next_version();
  const auto update = state.apply(backend.answer(), k_now);
  REQUIRE(update);
  CHECK(update->keys->size() == 2);
  CHECK(update->keys->find("key-a") == nullptr);
  CHECK(update->keys->find("key-b") != nullptr);
  CHECK(update->keys->find("key-c") != nullptr);
}

TEST_CASE("a key that does not decode is skipped and reported, the others are used") {
  RemoteConfigState state = new_state();
  const auto update =
      state.apply(Backend({{k_path, Ed25519Signer('a').json()},
                           {"datadog/4242/AP_RUNNER_KEYS/key-bad/config", R"({"keyType":"DSA","key":""})"}})
                      .answer(),
                  k_now);
  REQUIRE(update);
  CHECK(update->keys->size() == 1);
  REQUIRE(update->problems.size() == 1);
  CHECK_THAT(update->problems[0],
             Catch::Contains("'key-bad'") && Catch::Contains("neither ED25519 nor X509_RSA"));
  CHECK_THAT(request_of(state).error(), Catch::Contains("key-bad"));
}

TEST_CASE("files must be listed by both repositories with the same content") {
  Backend backend;
  backend.next_version();
  SECTION("not in the config repository") {
    backend.config.files.clear();
    check_refused(backend, "the config repository does not list it");
  }
  SECTION("another content in the config repository") {
    backend.config.files[k_path] = Ed25519Signer('b').json();
    check_refused(backend, "director and config repository list different contents");
  }
  SECTION("not in the director") {
    backend.director.files.clear();
    check_refused(backend, "the director repository does not list it");
  }
  SECTION("content is not what is listed") {
    backend.sent[k_path][5] ^= 1;
    check_refused(backend, "wrong hash");
    backend.sent[k_path] += " ";
    check_refused(backend, "wrong length");
  }
  SECTION("listed but never sent") {
    const std::string path = "datadog/4242/AP_RUNNER_KEYS/key-b/config";
    backend.config.files[path] = backend.director.files[path] = "x";
    check_refused(backend, "listed but was not sent");
  }
  SECTION("changed but not sent") {
    backend.config.files[k_path] = backend.director.files[k_path] = Ed25519Signer('b').json();
    backend.sent.clear();
    check_refused(backend, "listed but was not sent");
  }
  SECTION("of another organisation") {
    backend.set_files({{"datadog/7/AP_RUNNER_KEYS/key-a/config", Ed25519Signer('a').json()}});
    check_refused(backend, "another organisation than 4242");
  }
  SECTION("with a path of another form") {
    backend.set_files({{"key-a.json", Ed25519Signer('a').json()}});
    check_refused(backend, "unknown form");
  }
}

TEST_CASE("either repository can refuse an answer, and nothing changes") {
  for (TestRepository Backend::*repository : {&Backend::config, &Backend::director}) {
    const std::string name = repository == &Backend::config ? "config" : "director";
    Backend backend;
    backend.next_version();
    SECTION(name + ": signature") {
      (backend.*repository).targets_signers = "a";
      check_refused(backend, name + " repository, targets: wrong signature");
    }
    SECTION(name + ": expiry") {
      (backend.*repository).timestamp_expires = "2020-01-01T00:00:00Z";
      check_refused(backend, name + " repository, timestamp: it expired");
    }
  }
  RemoteConfigState state = new_state();
  CHECK_THAT(state.apply("\xff not protobuf", k_now).error().message,
             Catch::Contains("not the expected protobuf"));
}

TEST_CASE("without trust the first answer must bring both roots") {
  Backend backend;
  auto message = backend.message();
  message.mutable_director_metas()->clear_roots();
  RemoteConfigState state = new_state();
  CHECK_THAT(state.apply(message.SerializeAsString(), k_now).error().message,
             Catch::Contains("director repository, root: missing role"));
  CHECK_FALSE(state.has_trust());
}

TEST_CASE("a pinned root decides which answers are taken") {
  const Backend backend;
  RemoteConfigState state = new_state();
  REQUIRE(state.trust(backend.config.root(), backend.director.root()));
  CHECK(state.apply(backend.answer(), k_now));

  TestRepository other;
  other.root_keys = other.root_signers = "x";
  RemoteConfigState pinned = new_state();
  REQUIRE(pinned.trust(other.root(), other.root()));
  CHECK_THAT(pinned.apply(backend.answer(), k_now).error().message, Catch::Contains("another content"));
}

TEST_CASE("the stored roots can be trusted again") {
  const RemoteConfigState state = state_with(Backend());
  const auto document = parse_json(state.roots_text());
  REQUIRE(document);
  RemoteConfigState next = new_state();
  REQUIRE(next.trust(json::write(*json::find(*document, "config")),
                     json::write(*json::find(*document, "director"))));
  CHECK(next.apply(Backend().answer(), k_now));
}
