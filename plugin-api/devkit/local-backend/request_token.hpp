#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "plugin-api/devkit/local-backend/crypto.hpp"

namespace par::backend {

/// Checks the token that a runner puts on each request: a compact JWS signed with ES256 by the enrolled key,
/// whose claims name the organisation and the runner of that key, whose exp lies ahead and whose life is at
/// most five minutes. One token may come with several requests (claims have whole seconds), so accepted ones
/// are remembered.
class TokenChecker {
 public:
  TokenChecker(Key key, int64_t org_id, std::string runner_id);

  /// Another runner of the organisation.
  void add(std::string runner_id, Key key);

  /// Accepts `token` at `now` and returns whose it is, or says what is wrong with it.
  Result<std::string> check(std::string_view token, core::SystemTime now);

 private:
  struct Accepted {
    int64_t expiry = 0;  ///< seconds
    std::string runner_id;
  };
  Result<Accepted> read(std::string_view token, int64_t now) const;

  std::vector<std::pair<std::string, Key>> runners_;  ///< by id; the first one is there from the beginning
  int64_t org_id_;
  std::unordered_map<std::string, Accepted> accepted_;  ///< by token
};

}  // namespace par::backend
