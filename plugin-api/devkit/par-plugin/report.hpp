#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "plugin-api/devkit/par-plugin/checks.hpp"

namespace par::kit {

struct Finding {
  Check check;
  Verdict verdict;
  std::chrono::milliseconds took{0};
};

/// All findings about one library, as text for people, JSON, or JUnit XML.
std::string as_text(const std::filesystem::path& file, const std::vector<Finding>& findings);
std::string as_json(const std::filesystem::path& file, const std::vector<Finding>& findings);
std::string as_junit(const std::filesystem::path& file, const std::vector<Finding>& findings);

/// The checks, and the rules that have none with the reason: text or JSON.
std::string list_of_checks(bool as_json);

}  // namespace par::kit
