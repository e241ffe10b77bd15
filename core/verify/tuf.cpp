#include "core/verify/tuf.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fnmatch.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/strings.hpp"

namespace par::core {
namespace {

using tuf::Document;
using tuf::FileMeta;

constexpr std::string_view k_snapshot_file = "snapshot.json";
constexpr std::string_view k_targets_file = "targets.json";

// The entry of `file` in a document's meta.
Result<FileMeta> listed(const Document& parent, std::string_view file) {
  const json::Value* const meta = json::find(parent.content(), "meta");
  const json::Value* const entry = meta == nullptr ? nullptr : json::find(*meta, file);
  if (entry == nullptr) return fail("missing role: its parent does not list it");
  return tuf::read_file_meta(*entry, true);
}

Result<void> check_against(const FileMeta& meta, const Document& document, std::string_view text) {
  if (document.version() != meta.version) {
    return fail(fmt::format("mixed versions: it has version {}, its parent lists version {}",
                            document.version(), meta.version));
  }
  return meta.check(text);
}

Result<void> check_no_rollback(const std::shared_ptr<const Document>& last, const Document& next) {
  if (!last || next.version() > last->version()) return {};
  if (next.version() < last->version()) {
    return fail(fmt::format("rollback: it has version {}, version {} was seen before", next.version(),
                            last->version()));
  }
  if (next.canonical() == last->canonical()) return {};
  return fail(fmt::format("it has version {} as the last one, but another content", next.version()));
}

Result<std::map<std::string, TufTarget, std::less<>>> read_targets(const Document& document) {
  const json::Value* const targets = json::find(document.content(), "targets");
  if (targets == nullptr || !targets->IsObject()) return fail("it has no 'targets'");
  std::map<std::string, TufTarget, std::less<>> files;
  for (const auto& [path, entry] : targets->GetObject()) {
    const auto meta = tuf::read_file_meta(entry, false);
    if (!meta || !meta->has_length || (meta->sha256.empty() && meta->sha512.empty())) {
      return fail(fmt::format("file '{}' is listed without length or hash", cut_utf8(json::text(path), 200)));
    }
    TufTarget target{*meta, 0};
    const json::Value* const custom = json::find(entry, "custom");
    const json::Value* const version = custom == nullptr ? nullptr : json::find(*custom, "v");
    if (version != nullptr && version->IsUint64()) target.custom_version = version->GetUint64();
    files.emplace(json::text(path), target);
  }
  return files;
}

}  // namespace

// A role to which the targets hand over some paths.
struct TufRepository::Delegation {
  std::string role;
  std::vector<std::string> patterns;       // shell patterns in which '*' does not match '/'
  std::vector<std::string> hash_prefixes;  // of the path's SHA-256 in hex
  bool terminating = false;
  Files files;

  bool covers(const std::string& path) const {
    const auto matches = [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
    };
    if (std::ranges::any_of(patterns, matches)) return true;
    if (hash_prefixes.empty()) return false;
    const std::string hash = hex_encode(sha256(path));
    return std::ranges::any_of(hash_prefixes, [&](const auto& prefix) { return hash.starts_with(prefix); });
  }
};

Result<TufRepository> TufRepository::trust(std::string name, std::string_view root) {
  TufRepository repository;
  repository.name_ = std::move(name);
  if (const auto added = repository.add_root(root); !added) {
    return fail_in(fmt::format("{} repository, trusted root", repository.name_), added);
  }
  return repository;
}

Result<TufRepository> TufRepository::update(const TufDocuments& documents, SystemTime now) const {
  TufRepository next = *this;
  const auto step = [&](std::string_view document, const Result<void>& result) -> Result<void> {
    if (result) return {};
    return fail_in(fmt::format("{} repository, {}", name_, document), result);
  };
  const auto or_last = [](std::string_view sent, const std::string& last) {
    return sent.empty() ? std::string_view(last) : sent;
  };
  for (const std::string_view text : documents.roots) {
    if (const auto done = step("root", next.add_root(text)); !done) return tl::unexpected(done.error());
  }
  const auto done =
      step("root", next.root_->check_expiry(now))
          .and_then([&] {
            return step("timestamp", next.add_timestamp(or_last(documents.timestamp, timestamp_text_), now));
          })
          .and_then([&] {
            return step("snapshot", next.add_snapshot(or_last(documents.snapshot, snapshot_text_), now));
          })
          .and_then([&] {
            return step("targets", next.add_targets(or_last(documents.targets, targets_text_), now));
          })
          .and_then([&] { return step("delegated targets", next.add_delegated(documents.delegated, now)); });
  if (!done) return tl::unexpected(done.error());
  return next;
}

Result<tuf::Role> TufRepository::role(std::string_view name) const {
  const json::Value* const keys = json::find(root_->content(), "keys");
  const json::Value* const roles = json::find(root_->content(), "roles");
  const json::Value* const entry = roles == nullptr ? nullptr : json::find(*roles, name);
  if (keys == nullptr || entry == nullptr)
    return fail(fmt::format("missing role: the root has no role '{}'", name));
  return tuf::read_role(*keys, *entry, name);
}

// A next root is signed by the last one's keys and by its own.
Result<void> TufRepository::add_root(std::string_view text) {
  auto document = Document::parse(text, "root");
  if (!document) return tl::unexpected(document.error());
  const Shared last = root_;
  if (last) {
    if (document->version() < last->version()) return {};  // the whole chain was sent; this link is behind us
    if (document->version() == last->version()) return check_no_rollback(last, *document);
    if (document->version() != last->version() + 1) {
      return fail(fmt::format("version {} does not follow the trusted version {}", document->version(),
                              last->version()));
    }
    const auto signed_by_last =
        role("root").and_then([&](const tuf::Role& keys) { return document->check_signatures(keys); });
    if (!signed_by_last)
      return fail_in(fmt::format("by the keys of version {}", last->version()), signed_by_last);
  }
  root_ = std::make_shared<const Document>(std::move(*document));
  root_text_ = text;
  for (const char* needed : {"timestamp", "snapshot", "targets"}) {
    if (const auto keys = role(needed); !keys) return tl::unexpected(keys.error());
  }
  return role("root").and_then([&](const tuf::Role& keys) { return root_->check_signatures(keys); });
}

Result<void> TufRepository::add_timestamp(std::string_view text, SystemTime now) {
  if (text.empty()) return fail("missing role: the document was not sent");
  auto document = Document::parse(text, "timestamp");
  if (!document) return tl::unexpected(document.error());
  const auto checked = role("timestamp")
                           .and_then([&](const tuf::Role& keys) { return document->check_signatures(keys); })
                           .and_then([&] { return check_no_rollback(timestamp_, *document); })
                           .and_then([&] { return document->check_expiry(now); });
  if (!checked) return checked;
  timestamp_ = std::make_shared<const Document>(std::move(*document));
  timestamp_text_ = text;
  return {};
}

Result<void> TufRepository::add_snapshot(std::string_view text, SystemTime now) {
  if (text.empty()) return fail("missing role: the document was not sent");
  auto document = Document::parse(text, "snapshot");
  if (!document) return tl::unexpected(document.error());
  const auto checked =
      role("snapshot")
          .and_then([&](const tuf::Role& keys) { return document->check_signatures(keys); })
          .and_then([&] { return check_no_rollback(snapshot_, *document); })
          .and_then([&] { return listed(*timestamp_, k_snapshot_file); })
          .and_then([&](const FileMeta& meta) { return check_against(meta, *document, text); })
          .and_then([&] { return document->check_expiry(now); });
  if (!checked) return checked;
  snapshot_ = std::make_shared<const Document>(std::move(*document));
  snapshot_text_ = text;
  return {};
}

Result<void> TufRepository::add_targets(std::string_view text, SystemTime now) {
  if (text.empty()) return fail("missing role: the document was not sent");
  auto document = Document::parse(text, "targets");
  if (!document) return tl::unexpected(document.error());
  const auto checked =
      role("targets")
          .and_then([&](const tuf::Role& keys) { return document->check_signatures(keys); })
          .and_then([&] { return check_no_rollback(targets_, *document); })
          .and_then([&] { return listed(*snapshot_, k_targets_file); })
          .and_then([&](const FileMeta& meta) { return check_against(meta, *document, text); })
          .and_then([&] { return document->check_expiry(now); });
  if (!checked) return checked;
  auto files = read_targets(*document);
  if (!files) return tl::unexpected(files.error());
  target_files_ = std::move(*files);
  targets_ = std::make_shared<const Document>(std::move(*document));
  targets_text_ = text;
  return {};
}

// A role whose document was never sent lists nothing: a backend sends only those of the products that were
// asked for.
Result<void> TufRepository::add_delegated(const std::vector<TufDocuments::Delegated>& sent, SystemTime now) {
  for (const auto& document : sent)
    delegated_texts_.insert_or_assign(std::string(document.role), document.text);
  std::vector<std::shared_ptr<const Delegation>> delegations;
  std::map<std::string, Shared, std::less<>> documents;
  std::map<std::string, std::string, std::less<>> texts;
  const json::Value* const all = json::find(targets_->content(), "delegations");
  const json::Value* const keys = all == nullptr ? nullptr : json::find(*all, "keys");
  const json::Value* const roles = all == nullptr ? nullptr : json::find(*all, "roles");
  if (keys != nullptr && roles != nullptr && roles->IsArray()) {
    for (const json::Value& entry : roles->GetArray()) {
      auto delegation = std::make_shared<Delegation>();
      const json::Value* const name = json::find(entry, "name");
      if (name == nullptr || !name->IsString()) return fail("a delegation has no name");
      delegation->role = json::text(*name);
      const auto text = delegated_texts_.find(delegation->role);
      if (text == delegated_texts_.end()) continue;
      const auto read_texts = [&](std::string_view member, std::vector<std::string>& out) {
        const json::Value* const list = json::find(entry, member);
        if (list == nullptr || !list->IsArray()) return;
        for (const json::Value& item : list->GetArray()) {
          if (item.IsString()) out.emplace_back(json::text(item));
        }
      };
      read_texts("paths", delegation->patterns);
      read_texts("path_hash_prefixes", delegation->hash_prefixes);
      const json::Value* const terminating = json::find(entry, "terminating");
      delegation->terminating = terminating != nullptr && terminating->IsTrue();

      auto document = Document::parse(text->second, "targets");
      if (!document) return fail_in(delegation->role, document);
      const auto last = delegated_.find(delegation->role);
      const auto checked =
          tuf::read_role(*keys, entry, delegation->role)
              .and_then([&](const tuf::Role& role) { return document->check_signatures(role); })
              .and_then([&] {
                return check_no_rollback(last == delegated_.end() ? nullptr : last->second, *document);
              })
              .and_then([&] { return listed(*snapshot_, delegation->role + ".json"); })
              .and_then([&](const FileMeta& meta) { return check_against(meta, *document, text->second); })
              .and_then([&] { return document->check_expiry(now); });
      if (!checked) return fail_in(delegation->role, checked);
      auto files = read_targets(*document);
      if (!files) return fail_in(delegation->role, files);
      delegation->files = std::move(*files);
      documents.emplace(delegation->role, std::make_shared<const Document>(std::move(*document)));
      texts.emplace(delegation->role, text->second);
      delegations.push_back(std::move(delegation));
    }
  }
  delegations_ = std::move(delegations);
  delegated_ = std::move(documents);
  delegated_texts_ = std::move(texts);
  return {};
}

uint64_t TufRepository::root_version() const {
  return root_->version();
}
uint64_t TufRepository::snapshot_version() const {
  return snapshot_ ? snapshot_->version() : 0;
}
uint64_t TufRepository::targets_version() const {
  return targets_ ? targets_->version() : 0;
}

const TufTarget* TufRepository::find(std::string_view path) const {
  if (const auto file = target_files_.find(path); file != target_files_.end()) return &file->second;
  const std::string text(path);
  for (const auto& delegation : delegations_) {
    if (!delegation->covers(text)) continue;
    if (const auto file = delegation->files.find(path); file != delegation->files.end()) return &file->second;
    if (delegation->terminating) break;
  }
  return nullptr;
}

std::string_view TufRepository::custom_text(std::string_view name) const {
  const json::Value* const custom = targets_ ? json::find(targets_->content(), "custom") : nullptr;
  const json::Value* const value = custom == nullptr ? nullptr : json::find(*custom, name);
  return value != nullptr && value->IsString() ? json::text(*value) : std::string_view();
}

}  // namespace par::core
