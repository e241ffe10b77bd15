#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::backend {

/// Checks the token that a runner puts on each request: a compact JWS signed with ES256 by the enrolled key,
/// whose claims name the enrolled organisation and runner, whose exp lies ahead and whose life is at most
/// five minutes. One token may come with several requests (claims have whole seconds), so accepted ones are
/// remembered.
class TokenChecker {
 public:
  TokenChecker(Key key, int64_t org_id, std::string runner_id);

  /// Accepts `token` at `now`, or says what is wrong with it.
  Result<void> check(std::string_view token, core::SystemTime now);

 private:
  Result<int64_t> expiry_of(std::string_view token, int64_t now) const;

  Key key_;
  int64_t org_id_;
  std::string runner_id_;
  std::unordered_map<std::string, int64_t> accepted_;  ///< token -> exp, seconds
};

}  // namespace par::backend
