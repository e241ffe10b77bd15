#include "headers.hpp"

#include <algorithm>
#include <initializer_list>

#include "template.hpp"
#include "text.hpp"

namespace http_plugin {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](auto other) { return equal_ignoring_case(name, other); });
}

// Headers that the host writes by itself for every request, or that would contradict how it sends a message.
bool belongs_to_transport(std::string_view name) {
  return is_one_of(name, {"user-agent", "sec-datadog", "host", "content-length", "transfer-encoding",
                          "trailer", "connection", "runtime-worker-key"});
}

void add(Headers& headers, std::string_view name, std::string_view value, const par::Connection& connection) {
  if (belongs_to_transport(name)) return;
  if (!is_token(name))
    throw par::Error("header name \"" + std::string(name) + "\" contains illegal characters");
  std::string rendered = render(value, connection);
  for (const char c : rendered) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127) {
      throw par::Error("the value of header \"" + std::string(name) + "\" contains a control character");
    }
  }
  headers.set(name, std::string(trim(rendered)));
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
  for (auto& [other, old] : list_) {
    if (equal_ignoring_case(other, name)) {
      other = name;
      old = std::move(value);
      return;
    }
  }
  list_.emplace_back(name, std::move(value));
}

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [other, value] : list_) {
    if (equal_ignoring_case(other, name)) return &value;
  }
  return nullptr;
}

void refuse_forbidden_headers(const Inputs& inputs) {
  for (const HeaderInput& header : inputs.headers) {
    if (is_one_of(header.name, {"content-length", "host", "x-forwarded-for", "x-forwarded-host",
                                "x-forwarded-proto", "forwarded", "sec-datadog"})) {
      throw par::Error("header \"" + std::string(header.name) +
                       "\" may not be set by an action; remove it from requestHeaders");
    }
  }
}

Headers assemble_headers(const Inputs& inputs, const par::Connection& connection) {
  Headers headers;
  for (const HeaderInput& header : inputs.headers) {
    std::string joined;
    for (size_t at = 0; at < header.values.size(); ++at) {
      if (at > 0) joined += ',';
      joined += header.values[at];
    }
    add(headers, header.name, joined, connection);
  }
  for (const auto& [name, value] : connection.headers()) add(headers, name, value, connection);
  if (connection.auth() == par::Connection::Auth::basic) {
    std::string credentials(connection.require("username"));
    const std::string_view* const password = connection.token("password");
    credentials.append(":").append(password == nullptr ? std::string_view() : *password);
    headers.set("Authorization", basic_authorization(credentials));
  }
  return headers;
}

std::string basic_authorization(std::string_view credentials) {
  return "Basic " + base64(credentials);
}

std::string canonical_header_name(std::string_view name) {
  std::string result(name);
  if (!is_token(name)) return result;
  bool upper = true;
  for (char& c : result) {
    if (upper && c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - ('a' - 'A'));
    } else if (!upper && c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c + ('a' - 'A'));
    }
    upper = c == '-';
  }
  return result;
}

}  // namespace http_plugin
