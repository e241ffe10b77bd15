#include "plugin-api/devkit/local-backend/tuf.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <rapidjson/prettywriter.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/time.hpp"

namespace par::backend {
namespace {

constexpr const char* k_far_away = "2099-12-31T00:00:00Z";

std::string expiry(bool expired) {
  if (!expired) return k_far_away;
  return core::rfc3339(std::chrono::system_clock::now() - std::chrono::hours(24));
}

// Everything below is canonical JSON by construction: members in order, no blanks, and no character that
// needs an escape (key ids, and so paths, are plain).
std::string key_object(const Key& key) {
  return fmt::format(R"({{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}})",
                     core::hex_encode(raw_public_key(key)));
}

std::string id_of(const Key& key) {
  return core::hex_encode(core::sha256(key_object(key)));
}

// What a parent says about a child.
std::string meta(const TufDocument& child, bool wrong_hash, bool wrong_length, bool wrong_version) {
  std::string hash = core::hex_encode(core::sha256(child.raw));
  if (wrong_hash) hash.front() = hash.front() == '0' ? '1' : '0';
  return fmt::format(R"({{"hashes":{{"sha256":"{}"}},"length":{},"version":{}}})", hash,
                     child.raw.size() + (wrong_length ? 1 : 0), child.version + (wrong_version ? 1 : 0));
}

std::string file_entry(const TufFile& file, uint64_t version, const TufDamage& damage) {
  std::string hash = core::hex_encode(core::sha256(file.raw));
  if (damage.kind == "file_wrong_hash") hash.front() = hash.front() == '0' ? '1' : '0';
  return fmt::format(R"("{}":{{"custom":{{"v":{}}},"hashes":{{"sha256":"{}"}},"length":{}}})", file.path,
                     version, hash, file.raw.size() + (damage.kind == "file_wrong_length" ? 1 : 0));
}

// Root documents are meant to be read by people too. Readers must make the signed part canonical themselves,
// as they would have to with any other server.
std::string indented(const std::string& text) {
  json::Document document;
  std::string error;
  json::parse(text, document, error);
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 1);
  document.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string document(const std::string& signed_part, const std::vector<Key>& signers, bool damage) {
  std::string signatures;
  for (const Key& signer : signers) {
    std::string signature = sign_ed25519(signer, signed_part);
    if (damage) signature.front() = static_cast<char>(signature.front() ^ 1);
    signatures += fmt::format(R"({}{{"keyid":"{}","sig":"{}"}})", signatures.empty() ? "" : ",",
                              id_of(signer), core::hex_encode(signature));
  }
  return fmt::format(R"({{"signatures":[{}],"signed":{}}})", signatures, signed_part);
}

}  // namespace

std::string tuf_key_id(const Key& key) {
  return id_of(key);
}

TufSigner TufSigner::create() {
  TufSigner signer;
  signer.keys_.push_back(make_ed25519_key());
  signer.roots_.push_back(signer.root(1, signer.keys_.back(), {signer.keys_.back()}, false, false));
  return signer;
}

TufSigner::TufSigner(std::vector<Key> keys, std::vector<std::string> roots)
    : keys_(std::move(keys)), roots_(std::move(roots)) {}

void TufSigner::rotate() {
  const Key old_key = keys_.back();
  const Key new_key = make_ed25519_key();
  roots_.push_back(root(roots_.size() + 1, new_key, {old_key, new_key}, false, false));
  keys_.push_back(new_key);
}

std::string TufSigner::root(uint64_t version, const Key& key, const std::vector<Key>& signers, bool expired,
                            bool damage) const {
  const std::string id = id_of(key);
  std::string roles;
  for (const char* role : {"root", "snapshot", "targets", "timestamp"}) {
    roles += fmt::format(R"({}"{}":{{"keyids":["{}"],"threshold":1}})", roles.empty() ? "" : ",", role, id);
  }
  return indented(document(
      fmt::format(
          R"({{"_type":"root","consistent_snapshot":true,"expires":"{}","keys":{{"{}":{}}},"roles":{{{}}},"spec_version":"1.0","version":{}}})",
          expiry(expired), id, key_object(key), roles, version),
      signers, damage));
}

void TufSigner::add_damaged_root(TufRepository& repository, const std::string& kind) const {
  const uint64_t next = roots_.size() + 1;
  const Key& key = keys_.back();
  if (kind == "bad_signature") repository.roots.push_back({next, root(next, key, {key}, false, true)});
  if (kind == "unknown_key")
    repository.roots.push_back({next, root(next, key, {make_ed25519_key()}, false, false)});
  if (kind == "expired") repository.roots.push_back({next, root(next, key, {key}, true, false)});
  if (kind == "rollback") repository.roots.push_back({next, root(next - 1, key, {key}, false, false)});
  if (kind == "missing_role") repository.roots.clear();
}

TufRepository TufSigner::build(uint64_t version, const std::vector<TufFile>& files,
                               const TufDamage& damage) const {
  const auto strikes = [&](std::string_view role, std::string_view kind) {
    return damage.kind == kind && damage.role == role;
  };
  const auto make = [&](std::string_view role, const std::string& content) {
    TufDocument made;
    made.version = strikes(role, "rollback") && version > 2 ? version - 2 : version;
    // In canonical order "meta" stands before "spec_version" and "targets" behind it.
    const bool behind = role == "targets";
    const std::string text =
        fmt::format(R"({{"_type":"{}","expires":"{}",{}"spec_version":"1.0",{}"version":{}}})", role,
                    expiry(strikes(role, "expired")), behind ? "" : content + ",",
                    behind ? content + "," : "", made.version);
    const Key signer = strikes(role, "unknown_key") ? make_ed25519_key() : keys_.back();
    made.raw = document(text, {signer}, strikes(role, "bad_signature"));
    made.sent = !strikes(role, "missing_role");
    return made;
  };
  const auto about = [&](std::string_view child_role, const TufDocument& child) {
    return meta(child, strikes(child_role, "wrong_hash"), strikes(child_role, "wrong_length"),
                strikes(child_role, "mixed_versions"));
  };

  TufRepository repository;
  for (size_t i = 0; i < roots_.size(); ++i) repository.roots.push_back({i + 1, roots_[i]});
  if (damage.role == "root") add_damaged_root(repository, damage.kind);

  std::vector<TufFile> sorted = files;
  std::sort(sorted.begin(), sorted.end(), [](const TufFile& a, const TufFile& b) { return a.path < b.path; });
  std::string listed;
  for (const TufFile& file : sorted) {
    if (!listed.empty()) listed += ',';
    listed += file_entry(file, version, damage);
  }
  repository.targets = make("targets", fmt::format(R"("targets":{{{}}})", listed));
  repository.snapshot =
      make("snapshot", fmt::format(R"("meta":{{"targets.json":{}}})", about("targets", repository.targets)));
  repository.timestamp = make(
      "timestamp", fmt::format(R"("meta":{{"snapshot.json":{}}})", about("snapshot", repository.snapshot)));
  return repository;
}

}  // namespace par::backend
