#include <chrono>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/identity/identity.hpp"

namespace par::core {
namespace {

constexpr std::string_view k_header = R"({"alg":"ES256","cty":"JWT","typ":"JWT"})";
constexpr int64_t k_lifetime = 60;  // seconds

std::string claims(const RunnerUrn& urn, int64_t issued_at) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("exp");
  writer.Int64(issued_at + k_lifetime);
  writer.Key("iat");
  writer.Int64(issued_at);
  writer.Key("orgId");
  writer.Int64(urn.org_id);
  writer.Key("runnerId");
  writer.String(urn.runner_id);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

RequestTokens::RequestTokens(RunnerUrn urn, PrivateKey key, Now now)
    : urn_(std::move(urn)), key_(std::move(key)), now_(std::move(now)) {}

std::string RequestTokens::token() {
  const int64_t second = std::chrono::floor<std::chrono::seconds>(now_()).time_since_epoch().count();
  const std::lock_guard lock(mutex_);
  if (token_.empty() || second != issued_at_) {
    const std::string signed_part = base64url_encode(k_header) + '.' + base64url_encode(claims(urn_, second));
    token_ = signed_part + '.' + base64url_encode(key_.sign_es256(signed_part));
    issued_at_ = second;
  }
  return token_;
}

}  // namespace par::core
