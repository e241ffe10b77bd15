#pragma once

#include <string>
#include <vector>

#include "login.hpp"

namespace postgresql_plugin {

/// The connection parameters of libpq for one attempt. Each keyword that libpq would otherwise fill from the
/// environment or from a file of the user has a value here; an empty one would count as none.
class Keywords {
 public:
  /// `address` is numeric; `root_certificate` is a path, or empty where nothing is verified.
  Keywords(const Login& login, const std::string& address, const std::string& root_certificate);

  /// For PQconnectStartParams; valid as long as this object.
  const char* const* names() const { return names_.data(); }
  const char* const* values() const { return values_.data(); }

 private:
  void add(const char* name, const char* value);

  std::string port_;
  std::vector<const char*> names_;
  std::vector<const char*> values_;
};

}  // namespace postgresql_plugin
