#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/base/time.hpp"

namespace par::core {

/// The runner's name at Datadog: urn:dd:apps:on-prem-runner:<region>:<org id>:<runner id>.
struct RunnerUrn {
  std::string region;
  int64_t org_id = 0;
  std::string runner_id;

  /// Exactly seven parts with the four literal ones; the org id a signed 64-bit decimal; no part empty.
  static Result<RunnerUrn> parse(std::string_view text);
  std::string text() const;
};

/// The runner's P-256 private key, kept in OpenSSL's memory.
class PrivateKey {
 public:
  /// Reads base64(url), padded or not, of a JWK. Needs kty, crv, x, y and d; the point must be on the curve
  /// and d must fit it. No error text quotes the value.
  static Result<PrivateKey> from_config(std::string_view text);
  /// A new key.
  static PrivateKey generate();

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  /// ES256 over `message`: r and s, 32 bytes each.
  std::string sign_es256(std::string_view message) const;
  /// RFC 7638 SHA-256 thumbprint, base64url.
  std::string thumbprint() const;
  /// SubjectPublicKeyInfo as PEM ("PUBLIC KEY").
  std::string public_pem() const;
  /// The public half as a JWK, a JSON object whose members are in alphabetical order.
  std::string public_jwk() const;
  /// The private JWK in the form that from_config() reads.
  Secret config_text() const;

 private:
  struct Key;
  explicit PrivateKey(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

/// Makes the tokens that sign requests to Datadog (compact JWS, ES256, 60 s of life). A token's claims have
/// whole seconds, so all requests within one second share one token. Thread-safe.
class RequestTokens {
 public:
  using Now = std::function<SystemTime()>;
  RequestTokens(RunnerUrn urn, PrivateKey key, Now now = &std::chrono::system_clock::now);

  std::string token();
  const RunnerUrn& urn() const { return urn_; }

 private:
  RunnerUrn urn_;
  PrivateKey key_;
  Now now_;
  std::mutex mutex_;
  int64_t issued_at_ = 0;
  std::string token_;
};

}  // namespace par::core
