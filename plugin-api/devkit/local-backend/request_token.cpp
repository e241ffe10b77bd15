#include "plugin-api/devkit/local-backend/request_token.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "plugin-api/devkit/local-backend/jws.hpp"

namespace par::backend {
namespace {

using core::fail;

constexpr int64_t k_longest_life = 300;  // seconds
constexpr int64_t k_clock_leeway = 60;
constexpr size_t k_remembered_tokens = 1024;

std::optional<int64_t> integer(const json::Value& claims, std::string_view name) {
  const json::Value* const value = json::find(claims, name);
  if (value == nullptr || !value->IsInt64()) return std::nullopt;
  return value->GetInt64();
}

}  // namespace

TokenChecker::TokenChecker(Key key, int64_t org_id, std::string runner_id)
    : runners_{{std::move(runner_id), std::move(key)}}, org_id_(org_id) {}

void TokenChecker::add(std::string runner_id, Key key) {
  runners_.emplace_back(std::move(runner_id), std::move(key));
}

Result<std::string> TokenChecker::check(std::string_view token, core::SystemTime now) {
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string key(token);
  if (const auto known = accepted_.find(key); known != accepted_.end()) {
    if (known->second.expiry > seconds) return known->second.runner_id;
    accepted_.erase(known);
  }
  auto accepted = read(token, seconds);
  if (!accepted) return tl::unexpected(accepted.error());
  if (accepted_.size() >= k_remembered_tokens) accepted_.clear();
  accepted_.emplace(key, *accepted);
  return std::move(accepted->runner_id);
}

Result<TokenChecker::Accepted> TokenChecker::read(std::string_view token, int64_t now) const {
  if (token.empty()) return fail("there is no token");
  const auto jws = Jws::parse(token);
  if (!jws) return fail("the token: " + jws.error().message);
  const auto header = core::parse_json(jws->header).value();
  const json::Value* const algorithm = json::find(header, "alg");
  if (algorithm == nullptr || !algorithm->IsString() || json::text(*algorithm) != "ES256")
    return fail("the token's alg is not ES256");

  // Which key has to fit is what the token says; nothing else of it counts before the signature is checked.
  const auto claims = core::parse_json(jws->payload);
  const json::Value* const claimed = claims ? json::find(*claims, "runnerId") : nullptr;
  const std::string_view runner_id =
      claimed != nullptr && claimed->IsString() ? json::text(*claimed) : std::string_view();
  const auto named = std::find_if(runners_.begin(), runners_.end(),
                                  [&](const auto& runner) { return runner.first == runner_id; });
  const auto& [known_id, key] = named == runners_.end() ? runners_.front() : *named;
  if (!verify_es256(key, jws->signed_part, jws->signature))
    return fail("the token's signature does not fit the enrolled key");

  if (!claims || !claims->IsObject()) return fail("the token's claims are not a JSON object");
  const auto org_id = integer(*claims, "orgId");
  if (org_id != org_id_) return fail(fmt::format("the token's orgId is not {}", org_id_));
  if (runner_id != known_id) return fail(fmt::format("the token's runnerId is not {}", known_id));
  const auto expiry = integer(*claims, "exp");
  if (!expiry) return fail("the token has no exp");
  if (*expiry <= now) return fail(fmt::format("the token expired {} s ago", now - *expiry));
  const json::Value* const issued = json::find(*claims, "iat");
  if (issued != nullptr && !issued->IsInt64()) return fail("the token's iat is not a whole number");
  const int64_t issued_at = issued == nullptr ? now : issued->GetInt64();
  if (issued_at > now + k_clock_leeway) return fail("the token's iat lies in the future");
  if (*expiry - issued_at > k_longest_life)
    return fail(fmt::format("the token lives {} s, longer than {} s", *expiry - issued_at, k_longest_life));
  return Accepted{*expiry, known_id};
}

}  // namespace par::backend
