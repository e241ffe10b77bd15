#pragma once

#include <string>
#include <utility>

namespace par::kit {

/// What one check found.
struct Verdict {
  enum class Status { passed, failed, crashed, timed_out, skipped };
  Status status = Status::passed;
  std::string text;  ///< why it did not pass, or was skipped

  bool is_bad() const { return status != Status::passed && status != Status::skipped; }
};

inline Verdict passed() {
  return {};
}
inline Verdict failed(std::string text) {
  return {Verdict::Status::failed, std::move(text)};
}
inline Verdict skipped(std::string text) {
  return {Verdict::Status::skipped, std::move(text)};
}

}  // namespace par::kit
