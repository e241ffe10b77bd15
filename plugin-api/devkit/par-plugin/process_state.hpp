#pragma once

#include <map>
#include <string>

namespace par::kit {

/// What a plugin must leave alone in its process. Read at one moment.
struct ProcessState {
  std::map<std::string, std::string> descriptors;  ///< number -> what it is
  size_t threads = 0;
  std::map<int, std::string> signals;  ///< dispositions
  std::string surroundings;            ///< environment, directory, mask, locale
  uint64_t written = 0;                ///< bytes on standard output and error

  static ProcessState now();
};

/// Names of descriptors that `after` has and `before` has not, or nothing.
std::string added_descriptors(const ProcessState& before, const ProcessState& after);
/// What else differs in environment, directory, mask, locale and signals, or nothing.
std::string changed_surroundings(const ProcessState& before, const ProcessState& after);

}  // namespace par::kit
