#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "plugin-api/devkit/par-plugin/verdict.hpp"

namespace par::kit {

/// Where the child that runs one check writes its verdict.
inline constexpr int k_verdict_descriptor = 3;

/// Starts this program anew with `arguments`, which must write a verdict, and waits at most `limit`; then it
/// and what it started are killed. A child that ends without a verdict crashed. What it printed is in the
/// text of a bad verdict.
Verdict run_isolated(const std::vector<std::string>& arguments, std::chrono::milliseconds limit);

/// In the child: hands over the verdict and ends the process without running anything of the library.
[[noreturn]] void end_with(const Verdict& verdict);

}  // namespace par::kit
