#include "plugin-api/devkit/local-backend/tuf.hpp"

#include <algorithm>
#include <map>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/openssl.hpp"
#include "core/verify/wire/remote_config.pb.h"
#include "plugin-api/devkit/local-backend/remote_config.hpp"
#include "tests/catch.hpp"

using namespace par::backend;
namespace core = par::core;
namespace json = par::json;

namespace {

// Canonical JSON, written a second time from its definition: members sorted, no blanks, minimal escapes.
std::string canonical(const json::Value& value) {
  std::string out;
  if (value.IsObject()) {
    std::map<std::string, std::string> members;
    for (const auto& member : value.GetObject())
      members[std::string(json::text(member.name))] = canonical(member.value);
    for (const auto& [name, text] : members) out += (out.empty() ? "\"" : ",\"") + name + "\":" + text;
    return "{" + out + "}";
  }
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) out += (out.empty() ? "" : ",") + canonical(element);
    return "[" + out + "]";
  }
  return json::write(value);
}

bool verifies(const std::string& public_hex, const std::string& message, const std::string& signature_hex) {
  const std::string raw = core::hex_decode(public_hex).value();
  const std::string signature = core::hex_decode(signature_hex).value();
  using core::openssl::bytes;
  const core::openssl::Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(raw), raw.size()));
  const core::openssl::DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message),
                          message.size()) == 1;
}

// Whether `document` is signed by the key that `root` names for `role`.
bool signed_by(const std::string& document_text, const std::string& root_text, const char* role) {
  const auto document = core::parse_json(document_text).value();
  const auto root = core::parse_json(root_text).value();
  const std::string id(json::text(root["signed"]["roles"][role]["keyids"][0]));
  const json::Value& key = root["signed"]["keys"][id.c_str()];
  if (core::hex_encode(core::sha256(canonical(key))) != id) return false;
  const std::string message = canonical(document["signed"]);
  for (const auto& signature : document["signatures"].GetArray()) {
    if (json::text(signature["keyid"]) == id)
      return verifies(std::string(json::text(key["keyval"]["public"])), message,
                      std::string(json::text(signature["sig"])));
  }
  return false;
}

bool describes(const std::string& parent, const char* name, const TufDocument& child) {
  const auto document = core::parse_json(parent).value();
  const json::Value& meta = document["signed"]["meta"][name];
  return json::text(meta["hashes"]["sha256"]) == core::hex_encode(core::sha256(child.raw)) &&
         meta["length"].GetUint64() == child.raw.size() && meta["version"].GetUint64() == child.version;
}

const std::vector<TufFile> k_files = {{"datadog/1/AP_RUNNER_KEYS/b/config", "two"},
                                      {"datadog/1/AP_RUNNER_KEYS/a/config", "one"}};

}  // namespace

TEST_CASE("a whole repository verifies from the root down") {
  const TufSigner signer = TufSigner::create();
  const TufRepository repository = signer.build(7, k_files, {});
  REQUIRE(repository.roots.size() == 1);
  const std::string& root = repository.roots[0].raw;
  CHECK(signed_by(root, root, "root"));
  CHECK(signed_by(repository.timestamp.raw, root, "timestamp"));
  CHECK(signed_by(repository.snapshot.raw, root, "snapshot"));
  CHECK(signed_by(repository.targets.raw, root, "targets"));
  CHECK(describes(repository.timestamp.raw, "snapshot.json", repository.snapshot));
  CHECK(describes(repository.snapshot.raw, "targets.json", repository.targets));
  const auto targets = core::parse_json(repository.targets.raw).value();
  const json::Value& entry = targets["signed"]["targets"]["datadog/1/AP_RUNNER_KEYS/a/config"];
  CHECK(json::text(entry["hashes"]["sha256"]) == core::hex_encode(core::sha256("one")));
  CHECK(entry["length"].GetInt() == 3);
  // What is not a root document goes out in canonical form already.
  CHECK(repository.targets.raw.find(canonical(targets["signed"])) != std::string::npos);
}

TEST_CASE("a new root is signed by the old and the new key, and the rest by the new one") {
  TufSigner signer = TufSigner::create();
  signer.rotate();
  const TufRepository repository = signer.build(8, k_files, {});
  REQUIRE(repository.roots.size() == 2);
  CHECK(repository.roots[1].version == 2);
  CHECK(signed_by(repository.roots[1].raw, repository.roots[0].raw, "root"));
  CHECK(signed_by(repository.roots[1].raw, repository.roots[1].raw, "root"));
  CHECK(signed_by(repository.timestamp.raw, repository.roots[1].raw, "timestamp"));
  CHECK_FALSE(signed_by(repository.timestamp.raw, repository.roots[0].raw, "timestamp"));
}

TEST_CASE("each damage breaks exactly what it says") {
  const TufSigner signer = TufSigner::create();
  const std::string root = signer.roots().front();
  const auto build = [&](const char* kind, const char* role) {
    return signer.build(9, k_files, {kind, role});
  };

  const TufRepository bad = build("bad_signature", "snapshot");
  CHECK_FALSE(signed_by(bad.snapshot.raw, root, "snapshot"));
  CHECK(describes(bad.timestamp.raw, "snapshot.json", bad.snapshot));
  CHECK(signed_by(bad.targets.raw, root, "targets"));

  CHECK_FALSE(signed_by(build("unknown_key", "targets").targets.raw, root, "targets"));
  CHECK(build("rollback", "targets").targets.version == 7);
  CHECK_FALSE(build("missing_role", "timestamp").timestamp.sent);
  CHECK(build("expired", "timestamp").timestamp.raw.find("2099-12-31") == std::string::npos);
  for (const char* kind : {"wrong_length", "wrong_hash", "mixed_versions"}) {
    const TufRepository wrong = build(kind, "targets");
    CHECK_FALSE(describes(wrong.snapshot.raw, "targets.json", wrong.targets));
    CHECK(describes(wrong.timestamp.raw, "snapshot.json", wrong.snapshot));
    CHECK(signed_by(wrong.snapshot.raw, root, "snapshot"));
  }
  const TufRepository next = build("bad_signature", "root");
  REQUIRE(next.roots.size() == 2);
  CHECK_FALSE(signed_by(next.roots[1].raw, root, "root"));
}

TEST_CASE("Remote Config leaves out what the client has and withdraws keys") {
  Keyring keys;
  REQUIRE(keys.put("key-1", KeyType::ed25519));
  REQUIRE(keys.put("key-2", KeyType::rsa));
  keys.find("key-1")->published = false;
  RemoteConfig config(TufSigner::create(), 3, 4242);
  config.rotate_root();

  par::wire::LatestConfigsRequest request;
  request.set_current_director_root_version(1);
  par::wire::LatestConfigsResponse response;
  REQUIRE(response.ParseFromString(config.answer(request.SerializeAsString(), keys).value()));
  CHECK(response.config_metas().roots_size() == 2);
  CHECK(response.director_metas().roots_size() == 1);
  CHECK(response.director_metas().targets().version() == 4);
  REQUIRE(response.target_files_size() == 1);
  CHECK(response.target_files(0).path() == "datadog/4242/AP_RUNNER_KEYS/key-2/config");
  CHECK(response.target_files(0).raw().find("X509_RSA") != std::string::npos);

  config.set_damage({"missing_role", "targets", "director"});
  REQUIRE(response.ParseFromString(config.answer("", keys).value()));
  CHECK(response.config_metas().has_top_targets());
  CHECK_FALSE(response.director_metas().has_targets());
  CHECK_FALSE(config.answer("\xff", keys));
  CHECK_FALSE(check_damage({"wrong_hash", "timestamp", "both"}));
  CHECK_FALSE(check_damage({"nonsense", "targets", "both"}));
}
