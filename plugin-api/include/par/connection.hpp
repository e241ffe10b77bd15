// par/connection.hpp: a task's connection, read with RapidJSON. Optional part of the SDK.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <par/json.hpp>
#include <par/sdk/error.hpp>

namespace par {

/// The credentials and settings that a task brings along, as spec/connection.schema.json describes them. Owns
/// its texts.
class Connection {
 public:
  enum class Auth { none, token, basic };
  struct Entry {
    std::string_view name;
    std::string_view value;
  };

  /// Throws PAR_INTERNAL if the text is not what the host promised.
  explicit Connection(std::string_view connection_json) {
    std::string error;
    if (!json::parse(connection_json, document_, error) || !document_.IsObject()) {
      throw Error(PAR_INTERNAL,
                  "the connection is not a JSON object" + (error.empty() ? error : ": " + error));
    }
    const std::string_view auth = text("auth");
    auth_ = auth == "token" ? Auth::token : auth == "basic" ? Auth::basic : Auth::none;
    root_tokens_ = entries("root_tokens");
    headers_ = entries("headers");
    url_parameters_ = entries("url_parameters");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::string_view id() const { return text("id"); }
  Auth auth() const { return auth_; }
  /// The credentials, in the order of the task.
  const std::vector<Entry>& root_tokens() const { return root_tokens_; }
  /// Value of the credential of that name, or null.
  const std::string_view* token(std::string_view name) const {
    for (const Entry& entry : root_tokens_) {
      if (entry.name == name) return &entry.value;
    }
    return nullptr;
  }
  /// As above; throws an error that names the token if it is missing or empty.
  std::string_view require(std::string_view name) const {
    const std::string_view* const value = token(name);
    if (value == nullptr || value->empty()) {
      throw Error("the connection has no token \"" + std::string(name) +
                  "\"; add it to the connection's credentials");
    }
    return *value;
  }

  /// Empty if the connection has none.
  std::string_view base_url() const { return text("base_url"); }
  const std::vector<Entry>& headers() const { return headers_; }
  const std::vector<Entry>& url_parameters() const { return url_parameters_; }
  /// Body that goes into each request; empty if there is none.
  std::string_view body_content() const { return text("body", "content"); }
  std::string_view body_content_type() const { return text("body", "content_type"); }
  std::string_view testing_path() const { return text("testing", "path"); }
  std::string_view testing_verb() const { return text("testing", "verb"); }

 private:
  std::string_view text(std::string_view name) const { return text_of(json::find(document_, name)); }
  std::string_view text(std::string_view group, std::string_view name) const {
    const json::Value* const object = json::find(document_, group);
    return object == nullptr ? std::string_view() : text_of(json::find(*object, name));
  }
  static std::string_view text_of(const json::Value* value) {
    return value != nullptr && value->IsString() ? json::text(*value) : std::string_view();
  }
  std::vector<Entry> entries(std::string_view name) const {
    std::vector<Entry> result;
    const json::Value* const list = json::find(document_, name);
    if (list == nullptr || !list->IsArray()) return result;
    result.reserve(list->Size());
    for (const json::Value& item : list->GetArray()) {
      result.push_back({text_of(json::find(item, "name")), text_of(json::find(item, "value"))});
    }
    return result;
  }

  json::Document document_;
  Auth auth_ = Auth::none;
  std::vector<Entry> root_tokens_;
  std::vector<Entry> headers_;
  std::vector<Entry> url_parameters_;
};

}  // namespace par
