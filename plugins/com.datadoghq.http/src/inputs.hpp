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

/// The inputs of the action. Views into the parsed document, which this object owns.
class Inputs {
 public:
  /// A GET without anything.
  Inputs() = default;
  /// `inputs_json` is valid against the manifest.
  explicit Inputs(std::string_view inputs_json);
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  std::string_view verb = "GET";  ///< also if it was empty; not checked
  std::string_view url;
  const par::json::Value* body = nullptr;  ///< null: none
  std::vector<HeaderInput> headers;        ///< `cookies`, if any, come as one Cookie header at the end
  std::vector<std::pair<std::string_view, std::string_view>> url_params;
  std::vector<FormInput> form;
  bool follow_redirect = true;
  bool any_certificate = false;
  std::vector<std::string_view> error_on_status;  ///< as given, see status.hpp
  std::string_view response_parsing;
  std::string_view response_encoding;

 private:
  par::json::Document document_;
  std::string cookie_;
};

}  // namespace http_plugin
