#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace par::core {

class PrivateKey;
struct EnrollmentSettings;

// What is said between a new runner and Datadog.

/// The body of an enrollment with a one-time token, which itself never travels: a compact JWS, signed with
/// the new key, around a second one that binds the key to the token (MAC with a key derived from the token).
/// `url` is where it will be sent; the signature covers it.
std::string token_enrollment_body(std::string_view token, const PrivateKey& key, std::string_view url);

/// The inner JWS of the above.
std::string account_binding(std::string_view token, const PrivateKey& key);

/// The body (JSON:API) of an enrollment with API and application key; the keys go into headers.
std::string key_enrollment_body(const EnrollmentSettings& settings, const PrivateKey& key);

/// What Datadog answers.
struct EnrollmentAnswer {
  int64_t org_id = 0;
  std::string runner_id;
  std::vector<std::string> modes;    ///< empty if the answer names none
  std::vector<std::string> actions;  ///< likewise
};
/// Reads the body of an answer with status 200. The error says which member is missing.
Result<EnrollmentAnswer> parse_enrollment_answer(std::string_view body);

}  // namespace par::core
