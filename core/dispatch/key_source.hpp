#pragma once

#include <memory>

#include "core/verify/keys.hpp"

namespace boost::asio {
class io_context;
}

namespace par::core {

class HttpClient;
class Log;
class RequestTokens;
struct Config;

/// Where the configuration says that verifying keys come from: the key directory, or else Remote Config. All
/// references must outlive the source's stop().
std::unique_ptr<KeySource> make_key_source(const Config& config, boost::asio::io_context& control,
                                           HttpClient& http, RequestTokens& tokens, const Log& log);

}  // namespace par::core
