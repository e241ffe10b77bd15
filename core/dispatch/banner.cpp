#include "core/dispatch/banner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/url.hpp"
#include "core/config/config.hpp"
#include "core/plugin/catalog.hpp"
#include "core/policy/allowlist.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"

namespace par::core {
namespace {

std::string host_allowlist_text(const Config& config) {
  if (!config.host_allowlist) return "all hosts";
  return fmt::format("{} patterns", config.host_allowlist->size());
}

void warn_of_missing_libraries(const Log& log, const ActionsAllowlist& allowlist, const Catalog& catalog) {
  for (const std::string& bundle : allowlist.named_bundles()) {
    const CatalogEntry* const entry = catalog.find(bundle);
    if (entry == nullptr) {
      const std::string file = bundle + ".so";
      log.warn(
          "the allowlist names a bundle that has no plugin here; install the package that contains its "
          "library",
          {{"bundle", bundle}, {"library", file}});
    } else if (!entry->manifest) {
      log.warn("the plugin of a bundle in the allowlist cannot be used",
               {{"bundle", bundle},
                {"library", entry->file.string()},
                {"error", entry->manifest.error().message}});
    }
  }
}

}  // namespace

std::string proxy_text(const std::string& proxy) {
  if (proxy.empty()) return "none";
  const auto url = parse_url(proxy.find("://") == std::string::npos ? "http://" + proxy : proxy);
  return url ? url->origin() : "not a URL";
}

void log_banner(const Log& log, const Config& config, const ActionsAllowlist& allowlist,
                const Catalog& catalog, const TrustStore& trust) {
  const std::string file = config.has_file ? (config.directory / "config.yaml").string() : "environment only";
  const std::string modes = fmt::format("{}", fmt::join(config.modes, ","));
  const std::string http_proxy = proxy_text(config.http_proxy);
  const std::string https_proxy = proxy_text(config.https_proxy);
  const std::string hosts = host_allowlist_text(config);
  const std::string key_source = config.keys_directory.empty()
                                     ? "Remote Config, " + config.remote_config_url.origin()
                                     : "directory " + config.keys_directory.string();
  const std::string dogstatsd = config.dogstatsd ? config.dogstatsd->text() : "off";
  log.info("par-runner starts", {{"version", PAR_VERSION},
                                 {"config", file},
                                 {"identity", config.identity_source},
                                 {"urn", config.urn},
                                 {"site", config.site},
                                 {"modes", modes},
                                 {"api", config.api_url.origin()},
                                 {"keys", key_source},
                                 {"pool_size", config.runner_pool_size},
                                 {"allowed_actions", allowlist.size()},
                                 {"allowed_hosts", hosts},
                                 {"plugins", catalog.entries().size()},
                                 {"http_proxy", http_proxy},
                                 {"https_proxy", https_proxy},
                                 {"extra_certificates", trust.extra_certificates()},
                                 {"dogstatsd", dogstatsd}});
  for (const std::string& warning : config.warnings) log.warn(warning);
  if (config.serves_push) log.warn("the mode `push` (App Builder) is accepted but not served by this runner");
  for (const std::string& warning : trust.warnings()) log.warn(warning);
  for (const std::string& warning : catalog.warnings()) log.warn(warning);
  if (allowlist.size() == 0) {
    log.warn(
        "no action is allowed, so every task will be refused; add actions to `actionsAllowlist` in "
        "config.yaml");
  }
  for (const std::string& warning : allowlist.warnings(catalog.actions())) log.warn(warning);
  warn_of_missing_libraries(log, allowlist, catalog);
}

}  // namespace par::core
