#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/services/openssl.hpp"

namespace par::core {

class TrustStore;

/// What distinguishes one TLS client from another. Texts are borrowed.
struct TlsIdentity {
  std::string_view ca_pem;  ///< replaces the trusted roots; empty: the shared store
  std::string_view certificate_pem;
  std::string_view key_pem;
  bool verify = true;

  /// Equal for equal identities; short, without secrets.
  std::string fingerprint() const;
};

/// Keeps the TLS contexts of the most recently used identities, since making one costs much more than a
/// handshake's other memory. Thread-safe.
class TlsContexts {
 public:
  explicit TlsContexts(std::shared_ptr<TrustStore> trust) : trust_(std::move(trust)) {}

  /// `fingerprint` must be identity.fingerprint(). Errors: a PEM text that cannot be read, a key that does
  /// not fit.
  Result<std::shared_ptr<SSL_CTX>> get(const TlsIdentity& identity, const std::string& fingerprint);

 private:
  struct Entry {
    std::string fingerprint;
    std::shared_ptr<SSL_CTX> context;
  };
  static constexpr size_t k_max_entries = 64;

  std::shared_ptr<TrustStore> trust_;
  std::mutex mutex_;
  std::list<Entry> entries_;  ///< most recently used first
};

}  // namespace par::core
