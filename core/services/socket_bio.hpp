#pragma once

#include "core/services/openssl.hpp"

namespace par::core {

/// A BIO over a non-blocking socket that it does not own. Unlike OpenSSL's own it never raises SIGPIPE, which
/// would end a process that hosts plugins. Null when out of memory.
openssl::Bio make_socket_bio(int fd);

}  // namespace par::core
