#include "paths.hpp"

#include <par/sdk/error.hpp>

#include "plugins/common/encoding.hpp"

namespace kubernetes {
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
  plugin_common::append_percent_encoded(segment, text);
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
  plugin_common::append_percent_encoded(text_, value);
  return *this;
}

}  // namespace kubernetes
