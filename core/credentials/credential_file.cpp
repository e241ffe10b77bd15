#include "core/credentials/credential_file.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_former_directories[] = {"/etc/dd-action-runner", "/etc/dd-action-runner/creds"};
constexpr std::string_view k_token_auth = "Token Auth";
constexpr std::string_view k_basic_auth = "Basic Auth";
constexpr unsigned k_max_depth = 16;

// Wipes a text when it goes: parsing in place leaves every secret of the file in it.
class WipedText {
 public:
  explicit WipedText(std::string text) : text_(std::move(text)) {}
  ~WipedText() { wipe(text_.data(), text_.size()); }
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  char* data() { return text_.data(); }
  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

// Turns "... at byte N" into "... at line L, column C". `newlines` are the offsets of the text before it was
// parsed in place.
std::string with_line(std::string error, const std::vector<size_t>& newlines) {
  constexpr std::string_view k_mark = " at byte ";
  const size_t at = error.rfind(k_mark);
  size_t offset = 0;
  if (at == std::string::npos ||
      std::from_chars(error.data() + at + k_mark.size(), error.data() + error.size(), offset).ec !=
          std::errc()) {
    return error;
  }
  const auto next = std::lower_bound(newlines.begin(), newlines.end(), offset);
  const size_t line_start = next == newlines.begin() ? 0 : *(next - 1) + 1;
  return fmt::format("{} at line {}, column {}", error.substr(0, at), next - newlines.begin() + 1,
                     offset - line_start + 1);
}

Result<void> parse_in_place(WipedText& text, json::Document& document) {
  std::vector<size_t> newlines;
  const std::string_view bytes = text.view();
  for (size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1))
    newlines.push_back(at);
  if (bytes.find('\0') != std::string_view::npos) return fail("malformed JSON: it holds a zero byte");
  const size_t mark = bytes.starts_with("\xef\xbb\xbf") ? 3 : 0;
  std::string error;
  bool parsed = false;
  auto generator = [&](json::Document& handler) {
    parsed = json::parse_in_place(text.data() + mark, bytes.size() - mark, handler, error, k_max_depth);
    return parsed;
  };
  document.Populate(generator);
  if (!parsed) return fail("malformed JSON: " + with_line(std::move(error), newlines));
  return {};
}

// The text of a member that must be one.
Result<std::string_view> text_member(const json::Value& entry, std::string_view name,
                                     const std::string& where) {
  const json::Value* const value = json::find(entry, name);
  if (value == nullptr) return fail(fmt::format("{} has no {}", where, name));
  if (!value->IsString()) return fail(fmt::format("{}.{} is not a text; put it in quotes", where, name));
  return json::text(*value);
}

Result<void> add_pair(const json::Value& entry, std::string_view name, std::string_view value,
                      const std::string& where, std::vector<CredentialFile::Entry>& entries) {
  const auto name_text = text_member(entry, name, where);
  if (!name_text) return tl::unexpected(name_text.error());
  const auto value_text = text_member(entry, value, where);
  if (!value_text) return tl::unexpected(value_text.error());
  entries.push_back({std::string(*name_text), Secret(std::string(*value_text))});
  return {};
}

Result<void> add_members(const json::Value& entry, const std::string& where,
                         std::vector<CredentialFile::Entry>& entries) {
  for (const auto& member : entry.GetObject()) {
    const std::string name(json::text(member.name));
    if (!member.value.IsString())
      return fail(fmt::format("{}.{} is not a text; put it in quotes", where, name));
    entries.push_back({name, Secret(std::string(json::text(member.value)))});
  }
  return {};
}

}  // namespace

Result<CredentialFile> CredentialFile::parse(std::string text) {
  WipedText wiped(std::move(text));
  json::Document document;
  if (auto parsed = parse_in_place(wiped, document); !parsed)
    return tl::unexpected(std::move(parsed.error()));
  if (!document.IsObject()) return fail("expected an object with auth_type and credentials");
  const auto auth_type = text_member(document, "auth_type", "the file");
  if (!auth_type) return tl::unexpected(auth_type.error());
  if (*auth_type != k_token_auth && *auth_type != k_basic_auth) {
    return fail(fmt::format("auth_type is \"{}\", expected \"{}\" or \"{}\"", cut_utf8(*auth_type, 40),
                            k_token_auth, k_basic_auth));
  }
  const json::Value* const credentials = json::find(document, "credentials");
  if (credentials == nullptr || !credentials->IsArray()) return fail("expected a list called credentials");

  CredentialFile file;
  file.type_ = *auth_type == k_token_auth ? Type::token : Type::basic;
  for (rapidjson::SizeType i = 0; i < credentials->Size(); ++i) {
    const json::Value& entry = (*credentials)[i];
    const std::string where = fmt::format("credentials[{}]", i);
    if (!entry.IsObject()) return fail(where + " is not an object");
    Result<void> added;
    if (file.type_ == Type::basic) {
      added = add_pair(entry, "username", "password", where, file.entries_);
    } else if (json::find(entry, "tokenName") != nullptr || json::find(entry, "tokenValue") != nullptr) {
      added = add_pair(entry, "tokenName", "tokenValue", where, file.entries_);
    } else {
      added = add_members(entry, where, file.entries_);
    }
    if (!added) return tl::unexpected(std::move(added.error()));
  }
  return file;
}

const Secret* CredentialFile::find(std::string_view name) const {
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& candidate) { return candidate.name == name; });
  return entry == entries_.end() ? nullptr : &entry->value;
}

std::vector<std::string> CredentialFile::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

Result<std::filesystem::path> locate_credential_file(const std::string& path,
                                                     const std::filesystem::path& config_directory,
                                                     const Log& log) {
  if (path.empty()) return fail("the connection names no credential file");
  if (path.find('\0') != std::string::npos)
    return fail("the path of the connection's credential file has a zero byte");
  // Appending an absolute path replaces what stands before it.
  const std::filesystem::path given = config_directory / path;
  std::error_code ignored;
  // Anything that is there, readable or not, is what the connection means.
  const auto is_there = [&](const std::filesystem::path& file) {
    return std::filesystem::symlink_status(file, ignored).type() != std::filesystem::file_type::not_found;
  };
  if (is_there(given)) return given;

  std::vector<std::string> places;
  std::vector<std::filesystem::path> directories = {config_directory, config_directory / "credentials"};
  directories.insert(directories.end(), std::begin(k_former_directories), std::end(k_former_directories));
  for (const std::filesystem::path& directory : directories) {
    const std::filesystem::path candidate = directory / given.filename();
    if (given.has_filename() && is_there(candidate)) {
      log.info("credential file found elsewhere than its connection says; update the path in the connection",
               {{"path", given.native()}, {"found", candidate.native()}});
      return candidate;
    }
    places.push_back(directory.native());
  }
  return fail(fmt::format("the credential file {} does not exist, nor does a file of that name in {}",
                          given.native(), fmt::join(places, ", ")));
}

Result<std::string> read_credential_file(const std::filesystem::path& file) {
  auto text = read_file(file, k_max_credential_file_bytes);
  if (!text) return fail("credential file " + text.error().message);
  if (text->empty()) return fail(fmt::format("credential file {}: empty", file.native()));
  return text;
}

}  // namespace par::core
