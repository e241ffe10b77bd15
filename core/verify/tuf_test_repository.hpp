#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/verify/canonical_json.hpp"
#include "core/verify/test_keys.hpp"
#include "core/verify/tuf.hpp"

// Makes TUF documents for tests; each part can be broken before or after signing.

namespace par::core::testing {

/// Ids, public keys and signatures of signers named by letters.
inline std::string tuf_key(const std::string& raw_public) {
  return fmt::format(R"({{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}})",
                     hex_encode(raw_public));
}
inline std::string tuf_key_id(char letter) {
  return hex_encode(sha256(tuf_key(Ed25519Signer(letter).raw_public())));
}

/// `content` (any JSON text) signed by each letter.
inline std::string tuf_signed(std::string_view content, std::string_view letters) {
  const std::string canonical = *canonical_json(*parse_json(content));
  std::string signatures;
  for (const char letter : letters) {
    signatures += fmt::format(R"({}{{"keyid":"{}","sig":"{}"}})", signatures.empty() ? "" : ",",
                              tuf_key_id(letter), hex_encode(Ed25519Signer(letter).sign(canonical)));
  }
  return fmt::format("{{\"signatures\":[{}],\n \"signed\":{}}}", signatures, content);
}

inline std::string tuf_role(std::string_view letters, unsigned threshold) {
  std::string ids;
  for (const char letter : letters)
    ids += fmt::format("{}\"{}\"", ids.empty() ? "" : ",", tuf_key_id(letter));
  return fmt::format(R"({{"keyids":[{}],"threshold":{}}})", ids, threshold);
}

inline std::string tuf_keys(std::string_view letters) {
  std::string keys;
  for (const char letter : letters) {
    keys += fmt::format("{}\"{}\":{}", keys.empty() ? "" : ",", tuf_key_id(letter),
                        tuf_key(Ed25519Signer(letter).raw_public()));
  }
  return "{" + keys + "}";
}

/// One repository. Letters name keys: r root, t timestamp, s snapshot, g targets.
struct TestRepository {
  std::string expires = "2030-01-01T00:00:00Z";
  unsigned root_version = 1, timestamp_version = 1, snapshot_version = 1, targets_version = 1;
  std::string root_keys = "r";
  unsigned root_threshold = 1;
  std::string root_signers = "r";
  std::string targets_signers = "g", snapshot_signers = "s", timestamp_signers = "t";
  std::string targets_keys = "g";
  unsigned targets_threshold = 1;
  std::string targets_expires, snapshot_expires, timestamp_expires, root_expires;  // empty: expires
  std::map<std::string, std::string> files;                                        // path -> content
  std::string custom = R"({"opaque_backend_state":"c3RhdGU="})";
  std::string delegations;                       // empty, or the JSON of "delegations"
  std::map<std::string, std::string> delegated;  // role -> document, listed in the snapshot

  std::string root() const {
    return tuf_signed(
        fmt::format(
            R"({{"_type":"root","consistent_snapshot":true,"expires":"{}","keys":{},"roles":{{"root":{},)"
            R"("timestamp":{},"snapshot":{},"targets":{}}},"spec_version":"1.0","version":{}}})",
            pick(root_expires), tuf_keys("tsghab" + root_keys_once()), tuf_role(root_keys, root_threshold),
            tuf_role("t", 1), tuf_role("s", 1), tuf_role(targets_keys, targets_threshold), root_version),
        root_signers);
  }
  std::string targets() const {
    return tuf_signed(
        fmt::format(
            R"({{"_type":"targets","custom":{},{}"expires":"{}","spec_version":"1.0","targets":{},"version":{}}})",
            custom, delegations.empty() ? "" : "\"delegations\":" + delegations + ",", pick(targets_expires),
            entries(files), targets_version),
        targets_signers);
  }
  std::string snapshot() const { return snapshot_over(targets()); }
  std::string snapshot_over(std::string_view targets_text) const {
    std::string meta = fmt::format(R"("targets.json":{})", meta_of(targets_text, targets_version));
    for (const auto& [role, text] : delegated)
      meta += fmt::format(R"(,"{}.json":{})", role, meta_of(text, 1));
    return tuf_signed(
        fmt::format(
            R"({{"_type":"snapshot","expires":"{}","meta":{{{}}},"spec_version":"1.0","version":{}}})",
            pick(snapshot_expires), meta, snapshot_version),
        snapshot_signers);
  }
  std::string timestamp() const { return timestamp_over(snapshot()); }
  std::string timestamp_over(std::string_view snapshot_text) const {
    return tuf_signed(
        fmt::format(
            R"({{"_type":"timestamp","expires":"{}","meta":{{"snapshot.json":{}}},"spec_version":"1.0","version":{}}})",
            pick(timestamp_expires), meta_of(snapshot_text, snapshot_version), timestamp_version),
        timestamp_signers);
  }

  static std::string meta_of(std::string_view text, unsigned version) {
    return fmt::format(R"({{"hashes":{{"sha256":"{}"}},"length":{},"version":{}}})", hex_encode(sha256(text)),
                       text.size(), version);
  }
  static std::string entries(const std::map<std::string, std::string>& files) {
    std::string entries;
    for (const auto& [path, content] : files) {
      entries += fmt::format(R"({}"{}":{{"custom":{{"v":3}},"hashes":{{"sha256":"{}"}},"length":{}}})",
                             entries.empty() ? "" : ",", path, hex_encode(sha256(content)), content.size());
    }
    return "{" + entries + "}";
  }

 private:
  std::string_view pick(const std::string& own) const { return own.empty() ? expires : own; }
  std::string root_keys_once() const {
    std::string once;
    for (const char letter : root_keys) {
      if (std::string_view("tsghab").find(letter) == std::string_view::npos &&
          once.find(letter) == std::string::npos) {
        once += letter;
      }
    }
    return once;
  }
};

/// All documents of a repository, owned.
struct TestDocuments {
  std::vector<std::string> roots;
  std::string timestamp, snapshot, targets;
  std::map<std::string, std::string> delegated;

  explicit TestDocuments(const TestRepository& repository)
      : timestamp(repository.timestamp()),
        snapshot(repository.snapshot()),
        targets(repository.targets()),
        delegated(repository.delegated) {}

  TufDocuments view() const {
    TufDocuments documents{{roots.begin(), roots.end()}, timestamp, snapshot, targets, {}};
    for (const auto& [role, text] : delegated) documents.delegated.push_back({role, text});
    return documents;
  }
};

}  // namespace par::core::testing
