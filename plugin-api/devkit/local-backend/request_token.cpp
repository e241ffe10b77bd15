#include "plugin-api/devkit/local-backend/request_token.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/base/strings.hpp"

namespace par::backend {
namespace {

using core::fail;

constexpr int64_t k_longest_life = 300;  // seconds
constexpr int64_t k_clock_leeway = 60;
constexpr size_t k_remembered_tokens = 1024;

// JOSE allows only the URL alphabet without padding, which the general decoder does not insist on.
std::optional<std::string> decode_part(std::string_view part) {
  if (part.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  return core::base64_decode(part);
}

std::optional<int64_t> integer(const json::Value& claims, std::string_view name) {
  const json::Value* const value = json::find(claims, name);
  if (value == nullptr || !value->IsInt64()) return std::nullopt;
  return value->GetInt64();
}

}  // namespace

TokenChecker::TokenChecker(Key key, int64_t org_id, std::string runner_id)
    : key_(std::move(key)), org_id_(org_id), runner_id_(std::move(runner_id)) {}

Result<void> TokenChecker::check(std::string_view token, core::SystemTime now) {
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string key(token);
  if (const auto known = accepted_.find(key); known != accepted_.end()) {
    if (known->second > seconds) return {};
    accepted_.erase(known);
  }
  const Result<int64_t> expiry = expiry_of(token, seconds);
  if (!expiry) return tl::unexpected(expiry.error());
  if (accepted_.size() >= k_remembered_tokens) accepted_.clear();
  accepted_.emplace(key, *expiry);
  return {};
}

Result<int64_t> TokenChecker::expiry_of(std::string_view token, int64_t now) const {
  if (token.empty()) return fail("there is no token");
  const std::vector<std::string_view> parts = core::split(token, '.');
  if (parts.size() != 3) return fail(fmt::format("the token has {} parts instead of 3", parts.size()));
  const auto header_text = decode_part(parts[0]);
  const auto claims_text = decode_part(parts[1]);
  const auto signature = decode_part(parts[2]);
  if (!header_text || !claims_text || !signature)
    return fail("a part of the token is not base64url without padding");

  const auto header = core::parse_json(*header_text);
  if (!header || !header->IsObject()) return fail("the token's header is not a JSON object");
  const json::Value* const algorithm = json::find(*header, "alg");
  if (algorithm == nullptr || !algorithm->IsString() || json::text(*algorithm) != "ES256")
    return fail("the token's alg is not ES256");
  if (json::find(*header, "crit") != nullptr) return fail("the token's header has crit");

  const size_t signed_size = parts[0].size() + 1 + parts[1].size();
  if (!verify_es256(key_, token.substr(0, signed_size), *signature))
    return fail("the token's signature does not fit the enrolled key");

  const auto claims = core::parse_json(*claims_text);
  if (!claims || !claims->IsObject()) return fail("the token's claims are not a JSON object");
  const auto org_id = integer(*claims, "orgId");
  if (org_id != org_id_) return fail(fmt::format("the token's orgId is not {}", org_id_));
  const json::Value* const runner_id = json::find(*claims, "runnerId");
  if (runner_id == nullptr || !runner_id->IsString() || json::text(*runner_id) != runner_id_)
    return fail(fmt::format("the token's runnerId is not {}", runner_id_));
  const auto expiry = integer(*claims, "exp");
  if (!expiry) return fail("the token has no exp");
  if (*expiry <= now) return fail(fmt::format("the token expired {} s ago", now - *expiry));
  const json::Value* const issued = json::find(*claims, "iat");
  if (issued != nullptr && !issued->IsInt64()) return fail("the token's iat is not a whole number");
  const int64_t issued_at = issued == nullptr ? now : issued->GetInt64();
  if (issued_at > now + k_clock_leeway) return fail("the token's iat lies in the future");
  if (*expiry - issued_at > k_longest_life)
    return fail(fmt::format("the token lives {} s, longer than {} s", *expiry - issued_at, k_longest_life));
  return *expiry;
}

}  // namespace par::backend
