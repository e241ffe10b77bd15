#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <par/connection.hpp>

#include "inputs.hpp"

namespace http_plugin {

/// Request headers in order; names are compared without case.
class Headers {
 public:
  using List = std::vector<std::pair<std::string, std::string>>;

  /// Replaces the header of that name or adds one at the end.
  void set(std::string_view name, std::string value);
  const std::string* find(std::string_view name) const;
  const List& list() const { return list_; }

 private:
  List list_;
};

/// Throws par::Error if the inputs name a header that actions may not set.
void refuse_forbidden_headers(const Inputs& inputs);

/// Headers of the inputs, over them those of the connection, over all the Authorization of a basic
/// connection; values rendered as templates. Headers that belong to the transport are left out: the host
/// makes them. Throws par::Error for names and values that cannot be sent.
Headers assemble_headers(const Inputs& inputs, const par::Connection& connection);

/// The Authorization header for `username:password`.
std::string basic_authorization(std::string_view credentials);

/// Capital letters at the start and after each dash, others small; a name that is no token stays as it is.
std::string canonical_header_name(std::string_view name);

}  // namespace http_plugin
