#pragma once

#include <cstdint>
#include <string_view>

namespace http_plugin {

/// `plugins.com.datadoghq.http` of the configuration.
struct Settings {
  /// Behave as other runners do where this plugin would do better; README.md lists the differences.
  bool strict_upstream = false;
  uint64_t max_response_bytes = 15u << 20;

  /// `json` is valid against the manifest's config_schema.
  static Settings read(std::string_view json);
};

}  // namespace http_plugin
