#include "paths.hpp"

#include <par/sdk/error.hpp>

namespace kubernetes {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += k_digits[byte >> 4];
    out += k_digits[byte & 15];
  }
}

}  // namespace

std::string path_segment(std::string_view text, std::string_view input) {
  const std::string name(input);
  if (text.empty()) throw par::Error(name + " is empty: give the name of one object");
  if (text == "." || text == "..") throw par::Error(name + " may not be \"" + std::string(text) + "\"");
  for (const char c : text) {
    if (c == '/' || c == '%' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      throw par::Error(name + " may not contain '/', '%' or control characters");
    }
  }
  std::string segment;
  append_encoded(segment, text);
  return segment;
}

std::string collection_path(const Kind& kind, std::string_view name_space) {
  std::string path = kind.group.empty() ? "/api/" : "/apis/" + std::string(kind.group) + "/";
  path += kind.version;
  if (kind.scope == Scope::namespaced && !name_space.empty()) {
    path += "/namespaces/" + path_segment(name_space, "namespace");
  }
  return path + "/" + kind.resource();
}

std::string object_path(const Kind& kind, std::string_view name_space, std::string_view name) {
  if (kind.scope == Scope::namespaced && name_space.empty()) throw par::Error("namespace is empty");
  return collection_path(kind, name_space) + "/" + path_segment(name, "name");
}

Query& Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  append_encoded(text_, value);
  return *this;
}

}  // namespace kubernetes
