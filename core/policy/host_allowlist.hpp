#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace par::core {

/// The operator's list of hosts that actions may reach. Patterns compare without case: `*` any run of
/// characters including dots, `?` one, `[abc]`, `[a-z]`, `[!x]`, `{a,b}`. Without patterns no host is
/// allowed.
class HostAllowlist {
 public:
  /// Errors: a pattern that is malformed, or that no host name can match; it is named with what is wrong.
  static Result<HostAllowlist> parse(const std::vector<std::string>& patterns);
  /// `host` is a name or address without port and brackets. Takes time linear in the product of the lengths.
  bool allows(std::string_view host) const;

 private:
  std::vector<std::string> patterns_;  ///< in lower case, alternatives of braces written out
};

}  // namespace par::core
