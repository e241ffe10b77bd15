#include "core/services/trust_store.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base/digest.hpp"
#include "core/base/files.hpp"
#include "core/base/time.hpp"
#include "core/services/openssl.hpp"

namespace par::core {
namespace fs = std::filesystem;
namespace {

constexpr size_t k_max_file_bytes = 16u << 20;
constexpr std::array k_system_directories{"/etc/ssl/certs", "/etc/pki/tls/certs"};
constexpr std::array k_system_bundles{"/etc/ssl/certs/ca-certificates.crt",
                                      "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                      "/etc/ssl/cert.pem"};

// OpenSSL finds an issuer in a directory by links named after the hash of its subject: "0a775a30.0".
bool is_hash_link(const std::string& name) {
  return name.size() > 9 && name[8] == '.' &&
         std::all_of(name.begin(), name.begin() + 8, [](unsigned char c) { return std::isxdigit(c) != 0; }) &&
         std::all_of(name.begin() + 9, name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string find_hash_directory() {
  for (const char* directory : k_system_directories) {
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
      if (is_hash_link(at->path().filename().string())) return directory;
    }
  }
  return {};
}

std::string find_bundle() {
  for (const char* bundle : k_system_bundles) {
    std::error_code error;
    if (fs::is_regular_file(bundle, error)) return bundle;
  }
  return {};
}

Result<std::vector<openssl::Certificate>> read_certificates(const std::string& path) {
  const auto pem = read_file(path, k_max_file_bytes);
  if (!pem) return tl::unexpected(pem.error());
  auto certificates = parse_certificates(*pem);
  if (certificates.empty()) return fail(fmt::format("{}: no PEM certificate in it that can be read", path));
  return certificates;
}

std::string subject_of(X509* certificate) {
  const openssl::Bio out = openssl::buffer();
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  return openssl::content(out);
}

// The certificate as it is on the wire, to tell whether two are the same.
std::string to_der(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(bytes);
  return der;
}

std::string expiry_warning(X509* certificate, const std::string& path) {
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1 || days >= 30) return {};
  const bool expired = days < 0 || seconds < 0;
  return fmt::format("the CA certificate '{}' in {} {}", subject_of(certificate), path,
                     expired ? "has expired" : fmt::format("expires in {} days", days));
}

std::string to_pem(X509* certificate) {
  const openssl::Bio out = openssl::buffer();
  PEM_write_bio_X509(out.get(), certificate);
  return openssl::content(out);
}

}  // namespace

struct TrustStore::Impl {
  openssl::CertificateStore store{X509_STORE_new()};
  std::string extra_pem;
  std::set<std::string> extra;  ///< digests of the certificates in extra_pem
  std::vector<std::string> warnings;
  std::string bundle;  ///< the system's roots as one file, or empty
  std::string directory;
  mutable std::mutex mutex;
  mutable std::string pem;  ///< guarded by mutex; made when first asked for

  // A directory often holds each certificate several times: by name, as a hash link and in a bundle.
  Result<void> add_file(const std::string& path) {
    const auto certificates = read_certificates(path);
    if (!certificates) return tl::unexpected(certificates.error());
    for (const auto& certificate : *certificates) {
      if (!extra.insert(sha256(to_der(certificate.get()))).second) continue;
      X509_STORE_add_cert(store.get(), certificate.get());
      extra_pem += to_pem(certificate.get());
      if (auto warning = expiry_warning(certificate.get(), path); !warning.empty()) {
        warnings.push_back(std::move(warning));
      }
    }
    return {};
  }

  // Mounted volumes keep their versions in "..data" and the like; the names to read are links beside them.
  Result<void> add_directory(const std::string& directory_path) {
    std::error_code error;
    std::set<fs::path> files;
    for (fs::directory_iterator at(directory_path, error), end; !error && at != end; at.increment(error)) {
      std::error_code ignored;
      if (!at->path().filename().string().starts_with("..") && fs::is_regular_file(at->path(), ignored)) {
        files.insert(at->path());
      }
    }
    if (error) return fail(fmt::format("{}: {}", directory_path, error.message()));
    bool found = false;
    for (const auto& file : files) {
      if (add_file(file.string())) found = true;
    }
    if (!found) {
      return fail(fmt::format("{}: no file with a PEM certificate in it ({} files looked at)", directory_path,
                              files.size()));
    }
    return {};
  }

  void add_system_roots() {
    directory = find_hash_directory();
    bundle = find_bundle();
    if (!directory.empty()) {
      // Roots are then read one by one, when a chain needs them.
      X509_LOOKUP* lookup = X509_STORE_add_lookup(store.get(), X509_LOOKUP_hash_dir());
      if (lookup) X509_LOOKUP_add_dir(lookup, directory.c_str(), X509_FILETYPE_PEM);
    } else if (!bundle.empty()) {
      X509_LOOKUP* lookup = X509_STORE_add_lookup(store.get(), X509_LOOKUP_file());
      if (lookup) X509_LOOKUP_load_file(lookup, bundle.c_str(), X509_FILETYPE_PEM);
    }
  }
};

TrustStore::TrustStore() : impl_(std::make_unique<Impl>()) {}
TrustStore::~TrustStore() = default;

Result<std::shared_ptr<TrustStore>> TrustStore::load(const Sources& sources) {
  std::shared_ptr<TrustStore> trust(new TrustStore());
  // An operator's certificate is an anchor even if it is not self-signed.
  X509_STORE_set_flags(trust->impl_->store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  trust->impl_->add_system_roots();
  if (!sources.certificate_file.empty()) {
    if (auto added = trust->impl_->add_file(sources.certificate_file); !added) {
      return fail_in("SSL_CERT_FILE", added);
    }
  }
  for (const auto& directory : sources.certificate_directories) {
    if (auto added = trust->impl_->add_directory(directory); !added) return fail_in("SSL_CERT_DIR", added);
  }
  return trust;
}

X509_STORE* TrustStore::store() const {
  return impl_->store.get();
}
size_t TrustStore::extra_certificates() const {
  return impl_->extra.size();
}
const std::vector<std::string>& TrustStore::warnings() const {
  return impl_->warnings;
}

Result<std::string> TrustStore::pem() const {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->pem.empty()) return impl_->pem;
  std::string text;
  if (!impl_->bundle.empty()) {
    auto bundle = read_file(impl_->bundle, k_max_file_bytes);
    if (!bundle) return tl::unexpected(bundle.error());
    text = std::move(*bundle);
  } else if (!impl_->directory.empty()) {
    std::error_code error;
    for (fs::directory_iterator at(impl_->directory, error), end; !error && at != end; at.increment(error)) {
      if (!is_hash_link(at->path().filename().string())) continue;
      if (const auto file = read_file(at->path(), k_max_file_bytes)) text += *file;
    }
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += impl_->extra_pem;
  if (text.empty())
    return fail(
        "this machine has no trusted root certificates: install ca-certificates or set SSL_CERT_FILE");
  impl_->pem = std::move(text);
  return impl_->pem;
}

}  // namespace par::core
