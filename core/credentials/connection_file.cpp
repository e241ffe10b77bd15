#include "core/credentials/connection_file.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/json_members.hpp"
#include "core/base/strings.hpp"
#include "core/credentials/credential_file.hpp"
#include "core/credentials/credentials_type.hpp"

namespace par::core {
namespace {

using Kind = ConnectionToken::Kind;

const std::vector<std::string> k_auths = {"unspecified", "token", "basic", "oauth2"};  // by number
constexpr const char* k_root_tokens = "root_tokens";

Result<int> read_auth(const json::Value* auth) {
  if (auth == nullptr) return k_token_auth;
  if (auth->IsInt()) return auth->GetInt();
  const auto found =
      auth->IsString() ? std::find(k_auths.begin(), k_auths.end(), json::text(*auth)) : k_auths.end();
  if (found != k_auths.end()) return static_cast<int>(found - k_auths.begin());
  return fail("connection.auth must be token, basic, oauth2, unspecified or a number");
}

Result<std::vector<std::string>> read_name(const json::Value* name, const std::string& where) {
  std::vector<std::string> segments;
  if (name != nullptr && name->IsString()) {
    for (const std::string_view segment : split(json::text(*name), '.')) segments.emplace_back(segment);
    return segments;
  }
  if (name == nullptr || !name->IsArray())
    return fail(where + " needs a name, such as \"root_tokens.apiKey\" or [\"headers\", \"X-Team\"]");
  for (const json::Value& segment : name->GetArray()) {
    if (!segment.IsString()) return fail(where + ".name must be a text or a list of texts");
    segments.emplace_back(json::text(segment));
  }
  return segments;
}

Result<ConnectionToken> read_token(const json::Value& value, const std::string& where) {
  Members members(value, where);
  ConnectionToken token;
  if (value.IsObject()) {
    auto name = read_name(members.any("name"), where);
    if (!name) return tl::unexpected(std::move(name.error()));
    token.name_segments = std::move(*name);
    for (const auto& [member, kind] : {std::pair{"plain_text", Kind::plain_text},
                                       {"file", Kind::file_secret},
                                       {"yaml_file", Kind::yaml_file}}) {
      std::optional<std::string> given;
      members.read(member, given);
      if (!given) continue;
      if (token.kind != Kind::none)
        members.mistake(where + " has more than one of plain_text, file, yaml_file");
      token.kind = kind;
      token.value = std::move(*given);
    }
  }
  if (auto done = members.finish(); !done) return tl::unexpected(std::move(done.error()));
  return token;
}

// What CredentialResolver looks for besides root_tokens, and the names there; none where any will do.
const std::map<std::string, std::vector<std::string>> k_settings = {{"base_url", {}},
                                                                    {"headers", {}},
                                                                    {"url_parameters", {}},
                                                                    {"body", {"content", "content_type"}},
                                                                    {"testing", {"path", "verb"}}};

// Why resolution would pass over a token; empty if it would not.
std::string why_unused(const ConnectionToken& token) {
  const auto& segments = token.name_segments;
  if (segments.empty()) return "has no name";
  const std::string& part = segments.front();
  const std::string name = segments.size() > 1 ? segments.back() : "";
  if (token.kind == Kind::none) return "has no value; give plain_text, file or yaml_file";
  if (part == k_root_tokens) return segments.size() == 2 ? "" : "must be root_tokens and one name";
  const auto setting = k_settings.find(part);
  if (setting == k_settings.end()) {
    std::vector<std::string> known{k_root_tokens};
    for (const auto& [other, names] : k_settings) known.push_back(other);
    return fmt::format("begins with no part that a connection has{}; there are {}", did_you_mean(part, known),
                       fmt::join(known, ", "));
  }
  const auto& names = setting->second;
  if (segments.size() != (part == "base_url" ? 1 : 2))
    return fmt::format("must be {}", part == "base_url" ? part : part + " and one name");
  if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end())
    return fmt::format("is not known; {} has {}", part, fmt::join(names, ", "));
  if (token.kind != Kind::plain_text) return "must be plain_text; only root_tokens are read from files";
  return {};
}

// The connection that has all that a credential file holds.
Result<ConnectionInfo> connection_with(const CredentialFile& credentials, const std::string& path,
                                       std::string id) {
  ConnectionInfo connection;
  connection.connection_id = std::move(id);
  if (credentials.type() == CredentialFile::Type::token) {
    connection.credentials_type = k_token_auth;
    for (const std::string& name : credentials.names())
      connection.tokens.push_back({{k_root_tokens, name}, Kind::file_secret, path});
    return connection;
  }
  const auto users = credentials.names();
  if (users.size() != 1) {
    return fail(fmt::format("it has {} users, expected one; a connection with \"auth\": \"basic\" says which",
                            users.size()));
  }
  connection.credentials_type = k_basic_auth;
  connection.tokens = {{{k_root_tokens, "username"}, Kind::plain_text, users.front()},
                       {{k_root_tokens, "password"}, Kind::file_secret, path}};
  return connection;
}

}  // namespace

Result<ConnectionInfo> parse_connection(const json::Value& value, std::string id) {
  Members members(value, "connection");
  ConnectionInfo connection;
  connection.connection_id = std::move(id);
  if (value.IsObject()) {
    members.read("id", connection.connection_id);
    if (auto auth = read_auth(members.any("auth"))) {
      connection.credentials_type = *auth;
    } else {
      members.mistake(std::move(auth.error().message));
    }
    const json::Value* const tokens = members.any("tokens");
    if (tokens != nullptr && !tokens->IsArray()) members.mistake("connection.tokens must be a list");
    for (rapidjson::SizeType i = 0; tokens != nullptr && tokens->IsArray() && i < tokens->Size(); ++i) {
      auto token = read_token((*tokens)[i], fmt::format("connection.tokens[{}]", i));
      if (!token) return tl::unexpected(std::move(token.error()));
      connection.tokens.push_back(std::move(*token));
    }
  }
  if (auto done = members.finish(); !done) return tl::unexpected(std::move(done.error()));
  return connection;
}

Result<ConnectionInfo> read_connection_file(const std::filesystem::path& file, std::string id) {
  auto text = read_credential_file(file);
  if (!text) return tl::unexpected(std::move(text.error()));
  const auto document = parse_json(*text);
  if (!document || (document->IsObject() && json::find(*document, "auth_type") != nullptr)) {
    // Text that is no JSON too: this parser tells line and column.
    const auto credentials = CredentialFile::parse(std::move(*text));
    if (!credentials) return fail_in("credential file " + file.native(), credentials);
    auto connection = connection_with(*credentials, file.filename().native(), std::move(id));
    return connection ? std::move(connection) : fail_in("credential file " + file.native(), connection);
  }
  const std::string where = "connection file " + file.native();
  if (!document->IsObject())
    return fail(
        where +
        ": expected an object, a connection (auth, tokens) or a credential file (auth_type, credentials)");
  auto connection = parse_connection(*document, std::move(id));
  if (!connection) return fail_in(where, connection);
  for (size_t i = 0; i < connection->tokens.size(); ++i) {
    const ConnectionToken& token = connection->tokens[i];
    if (const std::string reason = why_unused(token); !reason.empty()) {
      return fail(fmt::format("{}: connection.tokens[{}] ({}) {}", where, i,
                              fmt::join(token.name_segments, "."), reason));
    }
  }
  return connection;
}

}  // namespace par::core
