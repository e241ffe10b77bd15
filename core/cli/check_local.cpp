#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/cli/check.hpp"
#include "core/cli/report.hpp"
#include "core/credentials/credential_file.hpp"
#include "core/identity/identity.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/inputs.hpp"
#include "core/plugin/loader.hpp"
#include "core/policy/allowlist.hpp"
#include "core/services/trust_store.hpp"

namespace par::core {
namespace {

std::vector<std::string> names_of(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> names;
  for (const std::filesystem::path& path : paths) names.push_back(path.native());
  return names;
}

void check_plugin(const std::string& name, const CatalogEntry& entry, bool allowed, const Config& config,
                  Report& report) {
  if (!entry.manifest) return report.fail("plugins", entry.manifest.error().message);
  const auto settings = config.plugin_settings.find(name);
  const auto settled = check_settings(
      *entry.manifest, settings == config.plugin_settings.end() ? std::string_view() : settings->second);
  if (!settled) return report.fail("plugins", settled.error().message);
  if (allowed) {
    if (const auto loaded = load_plugin(entry); !loaded)
      return report.fail("plugins", loaded.error().message);
  }
  report.ok("plugins", fmt::format("{} {}, actions: {}{}", name, entry.manifest->version,
                                   entry.manifest->actions.size(), allowed ? "" : " (none allowed)"));
}

}  // namespace

std::unique_ptr<RequestTokens> check_identity_settings(const Config& config, Report& report) {
  if (const auto present = check_identity(config); !present) {
    report.fail("identity", present.error().message);
    return nullptr;
  }
  auto urn = RunnerUrn::parse(config.urn);
  if (!urn) report.fail("identity", "urn: " + urn.error().message);
  auto key = PrivateKey::from_config(config.private_key.reveal());
  if (!key) report.fail("identity", "privateKey: " + key.error().message);
  if (!urn || !key) return nullptr;
  report.ok("identity", fmt::format("{} (from {})", config.urn, config.identity_source));
  return std::make_unique<RequestTokens>(std::move(*urn), std::move(*key));
}

void check_allowlist(const Config& config, const Catalog& catalog, Report& report) {
  const ActionsAllowlist allowlist(config.actions_allowlist);
  if (allowlist.size() == 0) {
    report.warn("allowlist", "actionsAllowlist is empty, so every task will be refused");
  } else {
    report.ok("allowlist", fmt::format("entries: {}", allowlist.size()));
  }
  for (const std::string& warning : allowlist.warnings(catalog.actions())) report.warn("allowlist", warning);
  for (const std::string& name : allowlist.named_bundles()) {
    if (catalog.find(name) == nullptr) {
      report.warn("allowlist", fmt::format("no plugin for {} is installed; its tasks will fail", name));
    }
  }
}

void check_plugins(const Config& config, const Catalog& catalog, Report& report) {
  const ActionsAllowlist allowlist(config.actions_allowlist);
  const auto allowed = allowlist.bundles();
  for (const std::string& warning : catalog.warnings()) report.warn("plugins", warning);
  for (const auto& [name, entry] : catalog.entries()) {
    check_plugin(name, entry, std::find(allowed.begin(), allowed.end(), name) != allowed.end(), config,
                 report);
  }
  if (catalog.entries().empty()) {
    report.warn("plugins", fmt::format("no library in {}", fmt::join(names_of(catalog.directories()), ", ")));
  }
  for (const auto& [name, settings] : config.plugin_settings) {
    if (catalog.find(name) == nullptr) {
      report.warn("plugins", fmt::format("there are settings for {}, which is not installed", name));
    }
  }
}

void check_credentials(const Config& config, Report& report) {
  const std::filesystem::path directory = config.directory / "credentials";
  std::error_code error;
  size_t good = 0;
  for (std::filesystem::recursive_directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::filesystem::path& file = at->path();
    // Kubernetes keeps the real files of a mounted Secret in directories called ..data and the like.
    if (file.filename().native().starts_with("..")) {
      at.disable_recursion_pending();
      continue;
    }
    if (file.extension() != ".json" || at->is_directory(error)) continue;
    auto text = read_credential_file(file);
    if (!text) {
      report.warn("credentials", text.error().message);
      continue;
    }
    const auto parsed = CredentialFile::parse(std::move(*text));
    if (parsed) {
      ++good;
    } else {
      report.warn("credentials", fmt::format("{}: {}", file.native(), parsed.error().message));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    report.fail("credentials", fmt::format("{}: {}", directory.native(), error.message()));
  } else {
    report.ok("credentials", fmt::format("readable files in {}: {}", directory.native(), good));
  }
}

std::shared_ptr<TrustStore> check_certificates(const Config& config, Report& report) {
  auto trust = TrustStore::load({config.certificate_directories, config.certificate_file});
  if (!trust) {
    report.fail("certificates", trust.error().message);
    return nullptr;
  }
  for (const std::string& warning : (*trust)->warnings()) report.warn("certificates", warning);
  report.ok("certificates", fmt::format("those of the system and {} more", (*trust)->extra_certificates()));
  return *trust;
}

}  // namespace par::core
