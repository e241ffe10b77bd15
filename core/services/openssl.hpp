#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ssl.h>

#include "core/base/openssl.hpp"

namespace par::core {

namespace openssl {

using Ssl = std::unique_ptr<SSL, Release<SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;

}  // namespace openssl

/// The reason of the oldest entry of this thread's error queue, which is emptied; "unknown reason" if it is
/// empty.
std::string take_openssl_error();

/// All certificates in a PEM text, other objects in it skipped. Empty if there is none or one cannot be read.
std::vector<openssl::Certificate> parse_certificates(std::string_view pem);

}  // namespace par::core
