#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace http_plugin {

/// A hash over bytes that arrive in pieces.
class Checksum {
 public:
  /// `algorithm`: md5, sha1, sha256, sha384 or sha512; empty means sha256. Throws par::Error for any other.
  explicit Checksum(std::string_view algorithm);

  void add(std::string_view bytes);
  /// The raw hash; nothing can be added afterwards.
  std::string finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // EVP_MD_CTX
};

/// A hash as text: `form` is hex, base64, base64url (without padding) or binary (each byte one character);
/// empty means hex. Throws par::Error for any other.
std::string digest_text(std::string_view hash, std::string_view form);

}  // namespace http_plugin
