#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <par/json.hpp>

namespace http_plugin {

struct HeaderInput {
  std::string_view name;
  std::vector<std::string_view> values;
};

struct FormInput {
  std::string_view key;
  std::string_view value;
  std::string_view type;  ///< "string", "datauri", or empty
};

/// An inclusive range of statuses.
struct StatusRange {
  int first = 0;
  int last = 0;
  bool holds(int status) const { return status >= first && status <= last; }
};

/// The inputs of the action. Views into the parsed document, which this object owns.
class Inputs {
 public:
  /// `inputs_json` is valid against the manifest. Throws par::Error where the schema cannot tell.
  explicit Inputs(std::string_view inputs_json);
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  std::string_view verb;  ///< GET if it was empty
  std::string_view url;
  const par::json::Value* body = nullptr;  ///< null: none
  std::vector<HeaderInput> headers;        ///< `cookies`, if any, come as one Cookie header at the end
  std::vector<std::pair<std::string_view, std::string_view>> url_params;
  std::vector<FormInput> form;
  bool follow_redirect = true;
  bool any_certificate = false;
  std::vector<StatusRange> error_on_status;
  std::string error_on_status_text;  ///< as given, for messages
  std::string_view response_parsing;
  std::string_view response_encoding;

 private:
  par::json::Document document_;
  std::string cookie_;
};

/// Reads one entry of errorOnStatus: "404" or "500-599". Throws par::Error if it is anything else.
StatusRange parse_status_range(std::string_view text);

}  // namespace http_plugin
