#include "core/dispatch/plugin_setup.hpp"

#include <memory>
#include <system_error>
#include <utility>

#include "core/config/config.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/inputs.hpp"
#include "core/policy/host_allowlist.hpp"

namespace par::core {

Result<EgressSettings> egress_settings(const Config& config) {
  EgressSettings egress;
  egress.allow_imds_endpoint = config.allow_imds_endpoint;
  if (config.host_allowlist) {
    auto hosts = HostAllowlist::parse(*config.host_allowlist);
    if (!hosts) return fail_in("allowlist", hosts);
    egress.host_allowlist = std::make_shared<const HostAllowlist>(std::move(*hosts));
  }
  return egress;
}

Result<void> check_plugin_settings(const Config& config, const Catalog& catalog) {
  for (const auto& [name, settings] : config.plugin_settings) {
    const CatalogEntry* const entry = catalog.find(name);
    if (entry == nullptr || !entry->manifest) continue;
    if (auto checked = check_settings(*entry->manifest, settings); !checked) return checked;
  }
  return {};
}

InvokerLimits invoker_limits(const Config& config) {
  InvokerLimits limits;
  limits.pool_size = static_cast<size_t>(config.runner_pool_size);
  return limits;
}

std::filesystem::path supervisor_program() {
  std::error_code ignored;
  const auto directory = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const auto installed = directory.parent_path() / PAR_SUPERVISOR_DIRECTORY / "par-supervisor";
  return std::filesystem::exists(installed, ignored) ? installed : directory / "par-supervisor";
}

}  // namespace par::core
