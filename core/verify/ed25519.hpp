#pragma once

#include <string_view>

namespace par::core {

/// Is `signature` one of `message` by the Ed25519 key with these 32 raw bytes? False for anything else, and
/// also for what the equation alone would let pass:
/// - a number S that is not reduced by the order of the group: it would give one message two signatures;
/// - a point R in any encoding but the canonical one;
/// - a key whose y is not reduced by the prime of the field: it would be a second name of the same key;
/// - a key or an R of small order: one signature would fit many messages.
/// Thread-safe.
///
/// By libsodium, which takes half the time of OpenSSL 3.0; this is the largest single cost of a task. OpenSSL
/// refuses the first two as well and accepts the others.
bool verify_ed25519(std::string_view raw_key, std::string_view message, std::string_view signature);

}  // namespace par::core
