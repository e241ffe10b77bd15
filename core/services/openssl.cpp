#include "core/services/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace par::core {

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "unknown reason";
}

std::vector<openssl::Certificate> parse_certificates(std::string_view pem) {
  std::vector<openssl::Certificate> out;
  const openssl::Bio bio = openssl::reader(pem);
  // PEM_read_bio_X509 passes over everything that is no certificate.
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, openssl::no_password, nullptr)) {
    out.emplace_back(certificate);
  }
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) out.clear();
  ERR_clear_error();
  return out;
}

}  // namespace par::core
