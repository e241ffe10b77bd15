#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/enrollment/formats.hpp"

namespace par::core {

enum class Command { run, enroll, check, list_actions, healthcheck, invoke, version, help };

/// What the command line asks for.
struct Arguments {
  Command command = Command::run;
  bool json = false;  ///< of list_actions
  bool rbac = false;  ///< of list_actions: the rights that they need in Kubernetes
  /// Of run and enroll: a runner without identity is enrolled with an API key and an application key.
  bool with_api_key = false;
  EnrollmentFormat format = EnrollmentFormat::config;  ///< of enroll
  std::filesystem::path output;                        ///< of enroll; empty: standard output
  std::string action;                                  ///< of invoke: full name
  std::filesystem::path inputs;                        ///< of invoke: a JSON file
  std::filesystem::path connection;                    ///< of invoke; empty: none
};

/// Reads the arguments without the program's name. Errors: an unknown one, two commands, one without its
/// value, one that does not go with the command.
Result<Arguments> parse_arguments(const std::vector<std::string_view>& arguments);

/// The text of --help.
std::string_view usage();

}  // namespace par::core
