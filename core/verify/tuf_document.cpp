#include "core/verify/tuf_document.hpp"

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/openssl.hpp"
#include "core/base/strings.hpp"
#include "core/verify/canonical_json.hpp"
#include "core/verify/ed25519.hpp"

namespace par::core::tuf {
namespace {

constexpr size_t k_public_key_size = 32;

std::string_view text_member(const json::Value& object, std::string_view name) {
  const json::Value* const value = json::find(object, name);
  return value != nullptr && value->IsString() ? json::text(*value) : std::string_view();
}

std::string sha512(std::string_view content) {
  std::string digest(64, '\0');
  EVP_Digest(content.data(), content.size(), openssl::bytes(digest), nullptr, EVP_sha512(), nullptr);
  return digest;
}

// The id of a key is the hash of its object. Some writers put more members into the object than they hash.
bool is_id_of(std::string_view id, const json::Value& key, std::string_view public_hex) {
  const auto whole = canonical_json(key);
  return (whole && id == hex_encode(sha256(*whole))) ||
         id == hex_encode(sha256(fmt::format(
                   R"({{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}})", public_hex)));
}

}  // namespace

Result<void> FileMeta::check(std::string_view content) const {
  if (has_length && content.size() != length) {
    return fail(fmt::format("wrong length: it has {} bytes, {} are listed", content.size(), length));
  }
  if ((!sha256.empty() && hex_encode(core::sha256(content)) != sha256) ||
      (!sha512.empty() && hex_encode(tuf::sha512(content)) != sha512)) {
    return fail("wrong hash: its content is not what is listed");
  }
  return {};
}

Result<Document> Document::parse(std::string_view text, std::string_view type) {
  auto parsed = parse_json(text);
  if (!parsed) return fail("it is not JSON: " + parsed.error().message);
  Document result;
  result.document_ = std::move(*parsed);
  if (const auto whole = canonical_json(result.document_); !whole) return tl::unexpected(whole.error());
  const json::Value* const content = json::find(result.document_, "signed");
  const json::Value* const signatures = json::find(result.document_, "signatures");
  if (content == nullptr || !content->IsObject() || signatures == nullptr || !signatures->IsArray()) {
    return fail("it is not a signed document (an object with 'signatures' and 'signed')");
  }
  if (const auto found = text_member(*content, "_type"); found != type) {
    return fail(fmt::format("it is of type '{}', expected '{}'", cut_utf8(found, 50), type));
  }
  const json::Value* const version = json::find(*content, "version");
  if (version == nullptr || !version->IsUint64() || version->GetUint64() == 0)
    return fail("it has no version");
  result.version_ = version->GetUint64();
  const auto expires = parse_rfc3339(text_member(*content, "expires"));
  if (!expires) return fail("it has no expiry date");
  result.expires_ = *expires;
  for (const json::Value& signature : signatures->GetArray()) {
    auto bytes = hex_decode(text_member(signature, "sig"));
    if (bytes)
      result.signatures_.push_back({std::string(text_member(signature, "keyid")), std::move(*bytes)});
  }
  result.canonical_ = *canonical_json(*content);
  return result;
}

Result<void> Document::check_signatures(const Role& role) const {
  std::set<std::string_view> signers;
  for (const Signature& signature : signatures_) {
    const auto key = role.keys.find(signature.key_id);
    if (key == role.keys.end() || signers.contains(key->second)) continue;
    if (verify_ed25519(key->second, canonical_, signature.bytes)) signers.insert(key->second);
  }
  if (signers.size() >= role.threshold) return {};
  return fail(fmt::format("wrong signature: {} of its keys have signed it validly, {} must", signers.size(),
                          role.threshold));
}

Result<void> Document::check_expiry(SystemTime now) const {
  if (expires_ > now) return {};
  return fail(fmt::format("it expired at {}; it is {} here", rfc3339(expires_), rfc3339(now)));
}

Result<Role> read_role(const json::Value& keys, const json::Value& role, std::string_view name) {
  const json::Value* const ids = json::find(role, "keyids");
  const json::Value* const threshold = json::find(role, "threshold");
  if (ids == nullptr || !ids->IsArray() || threshold == nullptr || !threshold->IsUint64() ||
      threshold->GetUint64() == 0) {
    return fail(fmt::format("role '{}' has no keyids or no threshold", name));
  }
  Role result;
  result.threshold = threshold->GetUint64();
  for (const json::Value& id_value : ids->GetArray()) {
    if (!id_value.IsString()) return fail(fmt::format("role '{}' has a key id that is not a text", name));
    const std::string_view id = json::text(id_value);
    const json::Value* const key = json::find(keys, id);
    if (key == nullptr) return fail(fmt::format("role '{}' names a key that is not there", name));
    // Keys of other kinds cannot sign for us; they only count when the threshold is not reached without them.
    if (text_member(*key, "keytype") != "ed25519") continue;
    const json::Value* const value = json::find(*key, "keyval");
    const std::string_view hex = value == nullptr ? std::string_view() : text_member(*value, "public");
    const auto raw = hex_decode(hex);
    if (!raw || raw->size() != k_public_key_size) {
      return fail(fmt::format("role '{}' names a key that is not 32 bytes in hex", name));
    }
    if (!is_id_of(id, *key, hex)) {
      return fail(
          fmt::format("role '{}' names key {}, which is not the hash of that key", name, cut_utf8(id, 64)));
    }
    result.keys.emplace(id, *raw);
  }
  return result;
}

Result<FileMeta> read_file_meta(const json::Value& entry, bool needs_version) {
  FileMeta meta;
  const json::Value* const version = json::find(entry, "version");
  if (needs_version && (version == nullptr || !version->IsUint64())) return fail("its entry has no version");
  if (needs_version) meta.version = version->GetUint64();
  const json::Value* const length = json::find(entry, "length");
  if (length != nullptr && !length->IsUint64()) return fail("its entry has a malformed length");
  meta.has_length = length != nullptr;
  if (meta.has_length) meta.length = length->GetUint64();
  if (const json::Value* const hashes = json::find(entry, "hashes")) {
    meta.sha256 = to_lower(text_member(*hashes, "sha256"));
    meta.sha512 = to_lower(text_member(*hashes, "sha512"));
  }
  return meta;
}

}  // namespace par::core::tuf
