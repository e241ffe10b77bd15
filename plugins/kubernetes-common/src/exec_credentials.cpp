#include "exec_credentials.hpp"

#include <chrono>
#include <ctime>
#include <iterator>

#include <par/json.hpp>
#include <par/plugin.hpp>
#include <unistd.h>

#include "files.hpp"
#include "members.hpp"
#include "plugins/common/encoding.hpp"

namespace kubernetes {
namespace {

constexpr std::chrono::seconds k_run_limit{60};
constexpr uint64_t k_largest_output = 1 << 20;
constexpr size_t k_shown_error = 500;

std::string key_of(const ExecPlugin& plugin, const Cluster& cluster) {
  std::string key = plugin.api_version + '\0' + plugin.command;
  for (const std::string& argument : plugin.arguments) key += '\0' + argument;
  for (const auto& [name, value] : plugin.environment) key += '\0' + name + '=' + value;
  if (plugin.provide_cluster_info) key += '\0' + exec_info(plugin, cluster);
  return key;
}

// The plugin gets the runner's environment, which holds what its cloud needs, but not the runner's own
// settings: they may hold its private key.
bool is_of_runner(std::string_view variable) {
  for (const std::string_view prefix : {"DD_", "PAR_", "RUNNER_"}) {
    if (variable.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

par::Command command_of(const ExecPlugin& plugin, const Cluster& cluster, const par::Call& call) {
  par::Command command = call.process().command(plugin.command);
  for (const std::string& argument : plugin.arguments) command.arg(argument);
  std::map<std::string, std::string, std::less<>> environment;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable(*at);
    const size_t equals = variable.find('=');
    if (equals == std::string_view::npos || is_of_runner(variable)) continue;
    environment.insert_or_assign(std::string(variable.substr(0, equals)),
                                 std::string(variable.substr(equals + 1)));
  }
  for (const auto& [name, value] : plugin.environment) environment.insert_or_assign(name, value);
  environment.insert_or_assign("KUBERNETES_EXEC_INFO", exec_info(plugin, cluster));
  for (const auto& [name, value] : environment) command.env(name, value);
  command.timeout(k_run_limit);
  command.overflow(par::Command::Overflow::kill, k_largest_output, k_largest_output);
  return command;
}

ExecCredential run(const ExecPlugin& plugin, const Cluster& cluster, const par::Call& call) {
  const std::string who = "the exec plugin \"" + plugin.command + "\" of " + cluster.origin;
  par::Finished finished;
  try {
    finished = command_of(plugin, cluster, call).run();
  } catch (const par::Error& error) {
    call.check();
    std::string text = who + " did not deliver credentials: " + error.message();
    if (error.status() == PAR_SPAWN && !plugin.install_hint.empty()) text += "; " + plugin.install_hint;
    throw par::Error(text);
  }
  if (finished.exit_code != 0 || finished.term_signal != 0) {
    const std::string how = finished.term_signal != 0
                                ? "was ended by signal " + std::to_string(finished.term_signal)
                                : "left with code " + std::to_string(finished.exit_code);
    std::string said = trimmed(finished.error);
    if (said.size() > k_shown_error) said.erase(0, said.size() - k_shown_error);
    // What it says is for the operators: it may name accounts and paths.
    throw par::Error(who + " " + how + (said.empty() ? "" : ": " + said), who + " " + how);
  }
  try {
    return parse_exec_credential(finished.output, plugin.api_version);
  } catch (const par::Error& error) {
    throw par::Error(who + " printed no usable credentials: " + error.message());
  }
}

}  // namespace

std::optional<std::time_t> parse_time(const std::string& text) {
  std::tm parts{};
  const char* at = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (at == nullptr) return std::nullopt;
  if (*at == '.') {
    do ++at;
    while (*at >= '0' && *at <= '9');
  }
  long offset = 0;
  const std::string zone(at);
  if (zone != "Z") {
    std::tm shift{};
    const bool sign = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-');
    const char* const end = sign ? ::strptime(at + 1, "%H:%M", &shift) : nullptr;
    if (end == nullptr || *end != '\0') return std::nullopt;
    offset = (shift.tm_hour * 60L + shift.tm_min) * 60 * (zone[0] == '+' ? 1 : -1);
  }
  return ::timegm(&parts) - offset;
}

ExecCredential parse_exec_credential(std::string_view json, std::string_view api_version) {
  par::json::Document document;
  std::string error;
  if (!par::json::parse(json, document, error)) throw par::Error("not valid JSON (" + error + ")");
  if (text_of(document, "kind") != "ExecCredential") throw par::Error("its kind is not ExecCredential");
  if (text_of(document, "apiVersion") != api_version) {
    throw par::Error("its apiVersion is not " + std::string(api_version) + " as in the kubeconfig");
  }
  const auto* const status = par::json::find(document, "status");
  if (status == nullptr || !status->IsObject()) throw par::Error("it has no status");
  ExecCredential credential{std::string(text_of(*status, "token")),
                            std::string(text_of(*status, "clientCertificateData")),
                            std::string(text_of(*status, "clientKeyData")), std::nullopt};
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    throw par::Error("clientCertificateData and clientKeyData belong together");
  }
  if (credential.token.empty() && credential.key_pem.empty()) {
    throw par::Error("its status has neither a token nor a client certificate");
  }
  const std::string expires(text_of(*status, "expirationTimestamp"));
  if (expires.empty()) return credential;
  credential.expires = parse_time(expires);
  if (!credential.expires)
    throw par::Error("its expirationTimestamp is not a time such as 2026-01-02T03:04:05Z");
  return credential;
}

std::string exec_info(const ExecPlugin& plugin, const Cluster& cluster) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  const auto member = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    writer.Key(name);
    writer.String(value);
  };
  writer.StartObject();
  member("apiVersion", plugin.api_version);
  member("kind", "ExecCredential");
  writer.Key("spec");
  writer.StartObject();
  if (plugin.provide_cluster_info) {
    writer.Key("cluster");
    writer.StartObject();
    member("server", cluster.server);
    member("tls-server-name", cluster.server_name);
    if (!cluster.verify) {
      writer.Key("insecure-skip-tls-verify");
      writer.Bool(true);
    }
    member("certificate-authority-data", plugin_common::base64(cluster.ca_pem));
    member("proxy-url", cluster.proxy);
    if (!plugin.cluster_config_json.empty()) {
      writer.Key("config");
      writer.RawValue(plugin.cluster_config_json.data(), plugin.cluster_config_json.size(),
                      rapidjson::kObjectType);
    }
    writer.EndObject();
  }
  writer.Key("interactive");
  writer.Bool(false);
  writer.EndObject();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::shared_ptr<ExecCredentials::Entry> ExecCredentials::entry(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[key];
  if (entry == nullptr) entry = std::make_shared<Entry>();
  return entry;
}

void ExecCredentials::keep_only_those_of(const std::shared_ptr<const Kubeconfig>& kubeconfig) {
  const std::lock_guard lock(mutex_);
  if (kubeconfig_ == kubeconfig) return;
  kubeconfig_ = kubeconfig;
  entries_.clear();
}

void ExecCredentials::apply(const ExecPlugin& plugin, Cluster& cluster, const par::Call& call) {
  cluster.exec_key = key_of(plugin, cluster);
  const auto kept = entry(cluster.exec_key);
  std::unique_lock lock(kept->running, std::defer_lock);
  while (!lock.try_lock_for(std::chrono::milliseconds(100))) call.check();
  auto& credential = kept->credential;
  if (credential && credential->expires && *credential->expires <= std::time(nullptr)) credential.reset();
  if (!credential) {
    credential = run(plugin, cluster, call);
    kept->generation = ++generations_;
  }
  cluster.exec_generation = kept->generation;
  if (!credential->token.empty()) cluster.set_token(credential->token);
  if (!credential->key_pem.empty()) {
    cluster.certificate_pem = credential->certificate_pem;
    cluster.key_pem = credential->key_pem;
  }
}

void ExecCredentials::forget(const Cluster& cluster) {
  std::shared_ptr<Entry> kept;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(cluster.exec_key);
    if (found == entries_.end()) return;
    kept = found->second;
  }
  const std::unique_lock lock(kept->running, std::try_to_lock);
  // Whoever holds it is renewing them.
  if (lock.owns_lock() && kept->generation == cluster.exec_generation) kept->credential.reset();
}

}  // namespace kubernetes
