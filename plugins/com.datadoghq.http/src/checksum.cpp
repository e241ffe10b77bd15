#include "checksum.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>
#include <par/sdk/error.hpp>

#include "text.hpp"

namespace http_plugin {
namespace {

EVP_MD_CTX* raw(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

}  // namespace

void Checksum::Free::operator()(void* context) const {
  EVP_MD_CTX_free(raw(context));
}

Checksum::Checksum(std::string_view algorithm) : context_(EVP_MD_CTX_new()) {
  constexpr std::array<std::string_view, 5> k_known = {"md5", "sha1", "sha256", "sha384", "sha512"};
  const std::string name(algorithm.empty() ? "sha256" : algorithm);
  if (std::find(k_known.begin(), k_known.end(), name) == k_known.end()) {
    throw par::Error("algorithm \"" + name + "\" is unknown; use md5, sha1, sha256, sha384 or sha512");
  }
  const EVP_MD* const type = EVP_get_digestbyname(name.c_str());
  if (context_ == nullptr || type == nullptr || EVP_DigestInit_ex(raw(context_.get()), type, nullptr) != 1) {
    throw par::Error("algorithm \"" + name + "\" is not offered by this runner's OpenSSL; use another one");
  }
}

void Checksum::add(std::string_view bytes) {
  if (EVP_DigestUpdate(raw(context_.get()), bytes.data(), bytes.size()) != 1)
    throw par::Error(PAR_INTERNAL, "the hash could not be computed");
}

std::string Checksum::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(raw(context_.get()), hash.data(), &size) != 1)
    throw par::Error(PAR_INTERNAL, "the hash could not be computed");
  return {reinterpret_cast<const char*>(hash.data()), size};
}

std::string digest_text(std::string_view hash, std::string_view form) {
  if (form.empty() || form == "hex") return hex(hash);
  if (form == "base64") return base64(hash);
  if (form == "base64url") {
    const std::string padded = base64(hash, true);
    return padded.substr(0, padded.find('='));
  }
  if (form == "binary") return latin1_to_utf8(hash);
  throw par::Error("digest \"" + std::string(form) + "\" is unknown; use hex, base64, base64url or binary");
}

}  // namespace http_plugin
