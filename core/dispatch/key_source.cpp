#include "core/dispatch/key_source.hpp"

#include "core/config/config.hpp"
#include "core/verify/directory_keys.hpp"
#include "core/verify/remote_config.hpp"

namespace par::core {

std::unique_ptr<KeySource> make_key_source(const Config& config, boost::asio::io_context& control,
                                           HttpClient& http, RequestTokens& tokens, const Log& log) {
  if (!config.keys_directory.empty())
    return std::make_unique<DirectoryKeys>(control, log, config.keys_directory);
  RemoteConfigSettings settings;
  settings.origin = config.remote_config_url.origin();
  settings.site = config.site;
  settings.version = config.reported_version;
  settings.pinned_root = config.remote_config_root;
  settings.stored_root = config.directory / "remote-config-root.json";
  return std::make_unique<RemoteConfigKeys>(control, http, tokens, log, std::move(settings));
}

}  // namespace par::core
