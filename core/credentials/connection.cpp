#include "core/credentials/connection.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/credentials/credential_file.hpp"
#include "core/credentials/credentials_type.hpp"

namespace par::core {
namespace {

using Kind = ConnectionToken::Kind;

// A token by its place: the group that its leading segments name, and its own name.
struct PlacedToken {
  std::string group;
  std::string_view name;
  const ConnectionToken* token;
};

std::vector<PlacedToken> place(const std::vector<ConnectionToken>& tokens) {
  std::vector<PlacedToken> placed;
  for (const ConnectionToken& token : tokens) {
    const auto& segments = token.name_segments;
    if (segments.empty()) continue;
    placed.push_back({segments.size() == 1
                          ? segments.front()
                          : fmt::format("{}", fmt::join(segments.begin(), segments.end() - 1, ".")),
                      segments.back(), &token});
  }
  return placed;
}

tl::unexpected<Failure> failure(std::string message) {
  return tl::unexpected<Failure>(Failure{ErrorCode::internal_error, std::move(message), {}});
}

struct RootToken {
  std::string_view name;
  Secret value;
};

/// Resolves the root tokens of one connection. Files are read once, however many tokens they hold.
class RootTokens {
 public:
  RootTokens(const std::filesystem::path& directory, const Log& log) : directory_(directory), log_(log) {}

  Result<std::vector<RootToken>, Failure> token_auth(const std::vector<PlacedToken>& tokens) {
    std::vector<RootToken> resolved;
    for (const PlacedToken& token : tokens) {
      if (token.group != "root_tokens") continue;
      auto value = resolve(token);
      if (!value) return failure(std::move(value.error().message));
      resolved.push_back({token.name, std::move(*value)});
    }
    return resolved;
  }

  // The connection gives the user's name, and the file the password of that user.
  Result<std::vector<RootToken>, Failure> basic_auth(const std::vector<PlacedToken>& tokens) {
    const PlacedToken* const username = find(tokens, "username");
    const PlacedToken* const password = find(tokens, "password");
    if (username == nullptr || username->token->kind != Kind::plain_text || username->token->value.empty()) {
      return failure("the connection uses basic authentication and has no user name in plain text");
    }
    if (password == nullptr || password->token->kind != Kind::file_secret) {
      return failure(
          "the connection uses basic authentication and names no credential file for the password");
    }
    auto value = look_up(password->token->value, username->token->value);
    if (!value) return failure(std::move(value.error().message));
    std::vector<RootToken> resolved;
    resolved.push_back({username->name, Secret(username->token->value)});
    resolved.push_back({password->name, std::move(*value)});
    return resolved;
  }

 private:
  static const PlacedToken* find(const std::vector<PlacedToken>& tokens, std::string_view name) {
    const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const PlacedToken& token) {
      return token.group == "root_tokens" && token.name == name;
    });
    return found == tokens.end() ? nullptr : &*found;
  }

  Result<Secret> resolve(const PlacedToken& token) {
    switch (token.token->kind) {
      case Kind::plain_text:
        return Secret(token.token->value);
      case Kind::file_secret:
        return look_up(token.token->value, token.name);
      case Kind::yaml_file:
        return whole_file(token.token->value);
      case Kind::none:
        break;
    }
    return fail(fmt::format("the connection's token \"{}\" has no value of a kind that this runner knows",
                            token.name));
  }

  Result<Secret> look_up(const std::string& path, std::string_view name) {
    const auto file = open(path);
    if (!file) return tl::unexpected(file.error());
    const auto& [found, content] = **file;
    if (const Secret* const value = content.find(name)) return *value;
    const bool basic = content.type() == CredentialFile::Type::basic;
    const auto names = content.names();
    return fail(fmt::format(
        "credential file {} has no {} \"{}\"; it has {}", found.native(), basic ? "user" : "token", name,
        names.empty() ? "none at all" : fmt::format("\"{}\"", fmt::join(names, "\", \""))));
  }

  Result<Secret> whole_file(const std::string& path) {
    const auto found = locate_credential_file(path, directory_, log_);
    if (!found) return tl::unexpected(found.error());
    auto text = read_credential_file(*found);
    if (!text) return tl::unexpected(std::move(text.error()));
    if (!is_utf8(*text)) return fail(fmt::format("credential file {}: not UTF-8 text", found->native()));
    return Secret(std::move(*text));
  }

  using OpenFile = std::pair<std::filesystem::path, CredentialFile>;

  Result<const OpenFile*> open(const std::string& path) {
    if (const auto known = files_.find(path); known != files_.end()) return &known->second;
    const auto found = locate_credential_file(path, directory_, log_);
    if (!found) return tl::unexpected(found.error());
    auto text = read_credential_file(*found);
    if (!text) return tl::unexpected(std::move(text.error()));
    auto file = CredentialFile::parse(std::move(*text));
    if (!file) return fail_in("credential file " + found->native(), file);
    return &files_.try_emplace(path, *found, std::move(*file)).first->second;
  }

  const std::filesystem::path& directory_;
  const Log& log_;
  std::map<std::string, OpenFile> files_;
};

// Settings of a connection are plain text only; a token of another kind among them has no value here.
std::vector<const PlacedToken*> settings_of(std::string_view group, const std::vector<PlacedToken>& tokens) {
  std::vector<const PlacedToken*> settings;
  for (const PlacedToken& token : tokens) {
    if (token.group == group && token.token->kind == Kind::plain_text) settings.push_back(&token);
  }
  return settings;
}

void write_pair(json::Writer& writer, std::string_view name, std::string_view value) {
  writer.StartObject();
  writer.Key("name");
  writer.String(name);
  writer.Key("value");
  writer.String(value);
  writer.EndObject();
}

// A group as a list of pairs, if the connection has any.
void write_pairs(json::Writer& writer, std::string_view group, const std::vector<PlacedToken>& tokens) {
  const auto settings = settings_of(group, tokens);
  if (settings.empty()) return;
  writer.Key(group);
  writer.StartArray();
  for (const PlacedToken* setting : settings) write_pair(writer, setting->name, setting->token->value);
  writer.EndArray();
}

// A group as an object with those of `names` that the connection has; the first of equal names counts.
void write_members(json::Writer& writer, std::string_view group,
                   std::initializer_list<std::string_view> names, const std::vector<PlacedToken>& tokens) {
  const auto settings = settings_of(group, tokens);
  if (settings.empty()) return;
  writer.Key(group);
  writer.StartObject();
  for (const std::string_view name : names) {
    const auto setting = std::find_if(settings.begin(), settings.end(),
                                      [&](const PlacedToken* candidate) { return candidate->name == name; });
    if (setting == settings.end()) continue;
    writer.Key(name);
    writer.String((*setting)->token->value);
  }
  writer.EndObject();
}

Secret connection_json(const ConnectionInfo& info, std::string_view auth,
                       const std::vector<RootToken>& root_tokens, const std::vector<PlacedToken>& tokens) {
  size_t expected = 1024;
  for (const RootToken& token : root_tokens) expected += 2 * token.value.reveal().size();
  for (const PlacedToken& token : tokens) expected += 2 * token.token->value.size();
  rapidjson::StringBuffer buffer(nullptr, expected);  // growing it would leave copies of secrets behind
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("id");
  writer.String(info.connection_id);
  writer.Key("auth");
  writer.String(auth);
  writer.Key("root_tokens");
  writer.StartArray();
  for (const RootToken& token : root_tokens) write_pair(writer, token.name, token.value.reveal());
  writer.EndArray();
  if (const auto base_url = settings_of("base_url", tokens); !base_url.empty()) {
    writer.Key("base_url");
    writer.String(base_url.front()->token->value);
  }
  write_pairs(writer, "headers", tokens);
  write_pairs(writer, "url_parameters", tokens);
  write_members(writer, "body", {"content", "content_type"}, tokens);
  write_members(writer, "testing", {"path", "verb"}, tokens);
  writer.EndObject();
  std::string text(buffer.GetString(), buffer.GetSize());
  wipe(const_cast<char*>(buffer.GetString()), buffer.GetSize());
  return Secret(std::move(text));
}

std::string credentials_type_name(int type) {
  if (type == 0) return "UNSPECIFIED";
  return type == k_oauth2 ? "OAUTH2" : fmt::format("number {}", type);
}

bool is_secret(std::string_view name, const std::vector<TokenRule>& rules) {
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [&](const TokenRule& known) { return known.name == name; });
  return rule == rules.end() || rule->secret;
}

}  // namespace

CredentialResolver::CredentialResolver(std::filesystem::path config_directory, Redactor& redactor,
                                       const Log& log)
    : config_directory_(std::move(config_directory)), redactor_(redactor), log_(log) {}

Result<ResolvedConnection, Failure> CredentialResolver::resolve(const ConnectionInfo& info,
                                                                const std::vector<TokenRule>& rules) const {
  // An action that needs no connection comes with none.
  const bool none = info.credentials_type == 0 && info.connection_id.empty() && info.tokens.empty();
  if (!none && info.credentials_type != k_token_auth && info.credentials_type != k_basic_auth) {
    return failure(
        fmt::format("the connection's type of credentials, {}, is not supported by private action runners; "
                    "use a connection with token or basic authentication",
                    credentials_type_name(info.credentials_type)));
  }
  const std::vector<PlacedToken> tokens = place(info.tokens);
  RootTokens reader(config_directory_, log_);
  const bool basic = info.credentials_type == k_basic_auth;
  auto root_tokens = basic ? reader.basic_auth(tokens) : reader.token_auth(tokens);
  if (!root_tokens) return tl::unexpected(std::move(root_tokens.error()));

  ResolvedConnection connection;
  for (const RootToken& token : *root_tokens) {
    if (is_secret(token.name, rules))
      connection.registrations_.push_back(redactor_.add(token.value.reveal()));
  }
  const std::string_view auth = basic ? "basic" : root_tokens->empty() ? "none" : "token";
  connection.json_ = connection_json(info, auth, *root_tokens, tokens);
  return connection;
}

}  // namespace par::core
