#pragma once

#include <filesystem>

namespace par::core {

/// Where plugins are if nobody says so, for a program at `executable`: <prefix>/lib/par-runner/plugins of an
/// installation; in a build tree, which has none, its plugins/.
std::filesystem::path default_plugins_directory(const std::filesystem::path& executable);

/// The file of the running program.
std::filesystem::path own_executable();

}  // namespace par::core
