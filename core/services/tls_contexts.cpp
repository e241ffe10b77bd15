#include "core/services/tls_contexts.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/services/trust_store.hpp"

namespace par::core {
namespace {

Result<void> use_roots(SSL_CTX* context, std::string_view ca_pem) {
  const auto roots = parse_certificates(ca_pem);
  if (roots.empty()) return fail("the CA certificate is not PEM text with at least one certificate");
  X509_STORE* store = SSL_CTX_get_cert_store(context);  // the context's own, still empty
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const auto& root : roots) X509_STORE_add_cert(store, root.get());
  return {};
}

Result<void> use_client_certificate(SSL_CTX* context, std::string_view certificate_pem,
                                    std::string_view key_pem) {
  const auto chain = parse_certificates(certificate_pem);
  if (chain.empty()) return fail("the client certificate is not PEM text with at least one certificate");
  const openssl::Bio bio = openssl::reader(key_pem);
  const openssl::Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, openssl::no_password, nullptr));
  if (!key) {
    return fail(fmt::format("the client key cannot be read ({}); it must be an unencrypted key in PEM form",
                            take_openssl_error()));
  }
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(fmt::format("the client certificate and its key cannot be used: {}", take_openssl_error()));
  }
  for (size_t at = 1; at < chain.size(); ++at) SSL_CTX_add1_chain_cert(context, chain[at].get());
  return {};
}

Result<std::shared_ptr<SSL_CTX>> make_context(const TlsIdentity& identity, X509_STORE* shared_roots) {
  ERR_clear_error();
  openssl::SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(fmt::format("no TLS context: {}", take_openssl_error()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Partial writes fit a non-blocking socket. Reading ahead halves the system calls; released buffers save 4
  // KiB and more for each idle connection. Nothing resumes sessions: kept connections serve that purpose.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  constexpr unsigned char k_alpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context.get(), k_alpn, sizeof k_alpn - 1);
  SSL_CTX_set_verify(context.get(), identity.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (identity.ca_pem.empty()) {
    SSL_CTX_set1_cert_store(context.get(), shared_roots);
  } else if (auto used = use_roots(context.get(), identity.ca_pem); !used) {
    return tl::unexpected(used.error());
  }
  if (!identity.certificate_pem.empty() || !identity.key_pem.empty()) {
    if (auto used = use_client_certificate(context.get(), identity.certificate_pem, identity.key_pem);
        !used) {
      return tl::unexpected(used.error());
    }
  }
  return std::shared_ptr<SSL_CTX>(context.release(), openssl::Release<SSL_CTX_free>());
}

}  // namespace

std::string TlsIdentity::fingerprint() const {
  if (ca_pem.empty() && certificate_pem.empty() && key_pem.empty()) return verify ? "default" : "unverified";
  // Lengths keep the parts apart.
  std::string all =
      fmt::format("{} {} {} {}\n", ca_pem.size(), certificate_pem.size(), key_pem.size(), verify);
  all.append(ca_pem).append(certificate_pem).append(sha256(key_pem));
  return hex_encode(sha256(all));
}

Result<std::shared_ptr<SSL_CTX>> TlsContexts::get(const TlsIdentity& identity,
                                                  const std::string& fingerprint) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.fingerprint == fingerprint; });
  if (known != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, known);
    return known->context;
  }
  auto context = make_context(identity, trust_->store());
  if (!context) return context;
  entries_.push_front({fingerprint, *context});
  if (entries_.size() > k_max_entries) entries_.pop_back();
  return context;
}

}  // namespace par::core
