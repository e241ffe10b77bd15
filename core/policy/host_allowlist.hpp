#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace par::core {

/// The operator's list of hosts that actions may reach. Patterns compare without case: `*` any run of characters
/// including dots, `?` one, `[abc]`, `[a-z]`, `[!x]`, `{a,b}`.
class HostAllowlist {
 public:
  /// Errors: a pattern that is malformed; it is named with what is wrong.
  static Result<HostAllowlist> parse(const std::vector<std::string>& patterns);
  bool allows(std::string_view host) const;

 private:
  std::vector<std::string> patterns_;
};

}  // namespace par::core
