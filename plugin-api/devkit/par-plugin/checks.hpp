#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "plugin-api/devkit/par-plugin/subject.hpp"
#include "plugin-api/devkit/par-plugin/verdict.hpp"

namespace par::kit {

/// One thing that is checked, in a process of its own.
struct Check {
  std::string_view name;
  std::string_view rules;  ///< of spec/abi.md, separated by spaces
  std::string_view what;   ///< true when it passes
  /// Either is null. The first knows the file only, since what it looks at comes before a usable manifest.
  Verdict (*of_file)(const std::filesystem::path& file);
  Verdict (*of_subject)(const Subject& subject);
};

std::span<const Check> file_checks();
std::span<const Check> load_checks();
std::span<const Check> call_checks();
std::span<const Check> fault_checks();

/// All of them, in the order in which they run.
std::vector<Check> all_checks();
/// Null if there is none of that name.
const Check* find_check(std::string_view name);

/// A rule that no check looks at, and why.
struct UncheckedRule {
  std::string_view id;
  std::string_view reason;
};
std::span<const UncheckedRule> unchecked_rules();

}  // namespace par::kit
