#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kinds.hpp"

namespace kubernetes {

/// `text` as one segment of a path, percent-encoded. Throws par::Error, which names `input`, if it is empty
/// or could leave its segment: such a request would reach another object, a subresource, or all objects.
std::string path_segment(std::string_view text, std::string_view input);

/// Path of all objects of a kind: in one namespace, or in the whole cluster if `name_space` is empty or the
/// kind has no namespaces.
std::string collection_path(const Kind& kind, std::string_view name_space);

/// Path of one object. Throws like path_segment.
std::string object_path(const Kind& kind, std::string_view name_space, std::string_view name);

/// The query of a URL in the making.
class Query {
 public:
  /// Adds nothing if `value` is empty.
  Query& add(std::string_view name, std::string_view value);
  /// `?a=b&c=d`, or nothing.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace kubernetes
