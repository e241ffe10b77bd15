#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/config/config.hpp"

namespace par::core {

/// Does what the arguments (without the program's name) ask for, and returns the process's exit code. Results
/// go to standard output, everything else a command has to say to standard error. `executable` tells where
/// plugins are.
int run_cli(const std::vector<std::string_view>& arguments, const Environment& environment,
            const std::filesystem::path& executable);

}  // namespace par::core
