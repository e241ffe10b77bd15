#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/plugin/manifest.hpp"

namespace par::kit {

/// What the checking host answers to one use of a service: an HTTP answer, or a program's output and exit
/// code.
struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body = "{}";
};

/// One call that the checks make.
struct Sample {
  std::string action;
  std::string inputs = "{}";
  std::string connection;
  std::vector<Answer> answers;  ///< in the order of use; the last one repeats
  bool succeeds = false;        ///< the author says so: then it is checked
};

/// The library under test: what its file and its author say of it.
struct Subject {
  std::filesystem::path file;
  core::Manifest manifest;
  std::string settings = "{}";
  std::vector<Sample> samples;  ///< at least one for each action
};

/// A value for every token of a connection that must not come out again.
inline constexpr std::string_view k_canary = "cAnaRy-7f3b91e2d4";

/// Reads the manifest in `file` and the author's samples (README.md says how they are written; empty: none).
/// Actions without a sample get one that is made from their schema. The error says what is wrong and where.
core::Result<Subject> read_subject(const std::filesystem::path& file, const std::filesystem::path& samples);

}  // namespace par::kit
