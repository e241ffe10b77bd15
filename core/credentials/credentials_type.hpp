#pragma once

namespace par::core {

/// Values of ConnectionInfo::credentials_type that mean something here, as Datadog numbers them.
inline constexpr int k_token_auth = 1;
inline constexpr int k_basic_auth = 2;
inline constexpr int k_oauth2 = 3;

}  // namespace par::core
