#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace par::core {

enum class Command { run, check, list_actions, healthcheck, version, help };

/// What the command line asks for.
struct Arguments {
  Command command = Command::run;
  bool json = false;  ///< of list_actions
  bool rbac = false;  ///< of list_actions: the rights that they need in Kubernetes
};

/// Reads the arguments without the program's name. Errors: an unknown one, two commands, --json or --rbac
/// without
/// --list-actions.
Result<Arguments> parse_arguments(const std::vector<std::string_view>& arguments);

/// The text of --help.
std::string_view usage();

}  // namespace par::core
