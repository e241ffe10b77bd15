#pragma once

#include <string>

#include <par/connection.hpp>

namespace http_plugin {

/// The request by which a connection says that it can be tested.
struct Probe {
  std::string verb;
  std::string url;

  /// The connection's testing verb (GET if it has none) and its testing path below its base URL, rendered.
  /// Throws par::Error if there is nothing to test.
  static Probe of(const par::Connection& connection);
};

}  // namespace http_plugin
