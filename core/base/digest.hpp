#pragma once

#include <string>
#include <string_view>

namespace par::core {

/// SHA-256, 32 raw bytes.
std::string sha256(std::string_view bytes);
/// HMAC-SHA256, 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);
/// `count` bytes from the system's random source.
std::string random_bytes(size_t count);

}  // namespace par::core
