#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <par/plugin.h>

#include "core/base/result.hpp"
#include "core/plugin/manifest.hpp"

namespace par::kit {

/// What a server answers to one request.
struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body = "{}";
};

/// What a program does.
struct ProcessAnswer {
  std::string output;  ///< on standard output
  std::string errors;  ///< on standard error
  int exit_code = 0;
  int signal = 0;
};

/// What the checking host answers to one use of a service.
using Answer = std::variant<HttpAnswer, ProcessAnswer>;

/// How a call must end.
struct Expectation {
  par_status status = PAR_OK;
  std::string message;  ///< a part of the text of error()
};

/// One call that the checks make.
struct Sample {
  std::string label;  ///< for people: action, place and name
  std::string action;
  std::string inputs = "{}";
  std::string connection;
  std::vector<Answer> answers;         ///< in the order of use; the last one repeats
  std::optional<Expectation> expects;  ///< nothing: made from the schema, so that nobody knows
};

/// The library under test: what its file and its author say of it.
struct Subject {
  std::filesystem::path file;
  std::filesystem::path samples_file;  ///< empty: the author gave none
  core::Manifest manifest;
  std::string settings = "{}";
  std::vector<Sample> samples;               ///< at least one for each action
  std::map<std::string, std::string> hosts;  ///< names that par.net/1 resolves, and their numeric addresses
};

/// A value for every token of a connection that must not come out again.
inline constexpr std::string_view k_canary = "cAnaRy-7f3b91e2d4";

/// A connection that has every token of the manifest; the secret ones are the canary.
std::string default_connection(const core::Manifest& manifest);

/// Adds what the author says in `file` to `subject`, of which the manifest is known: settings and samples
/// (README.md says how they are written). The error says what is wrong and where.
core::Result<void> read_samples(const std::filesystem::path& file, Subject& subject);

/// Reads the manifest in `file` and the author's samples (empty: none). Actions without a sample get one that
/// is made from their schema. The error says what is wrong and where.
core::Result<Subject> read_subject(const std::filesystem::path& file, const std::filesystem::path& samples);

/// Adds to `hosts` what NAME=ADDRESS says; more of them stand behind commas. The error says what is wrong.
core::Result<void> read_hosts(std::string_view text, std::map<std::string, std::string>& hosts);

}  // namespace par::kit
