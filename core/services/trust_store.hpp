#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"

typedef struct x509_store_st X509_STORE;

namespace par::core {

/// The trusted roots of the process: the system's, loaded lazily by hash directory where there is one, and
/// those of the operator (SSL_CERT_DIR, SSL_CERT_FILE), read at construction from files of any name. One
/// store is shared by all TLS contexts. Thread-safe.
class TrustStore {
 public:
  struct Sources {
    std::vector<std::string>
        certificate_directories;   ///< every regular file in them is PEM; "..*" is skipped
    std::string certificate_file;  ///< SSL_CERT_FILE, or empty
  };
  /// Errors: a named file or directory that cannot be read, or that holds no certificate.
  static Result<std::shared_ptr<TrustStore>> load(const Sources& sources);
  ~TrustStore();

  X509_STORE* store() const;
  /// How many certificates the operator's files gave.
  size_t extra_certificates() const;
  /// One line for each extra certificate that is expired or expires within 30 days.
  const std::vector<std::string>& warnings() const;
  /// All roots as PEM, for libraries that keep their own store. Read when first asked for.
  Result<std::string> pem() const;

 private:
  TrustStore();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace par::core
