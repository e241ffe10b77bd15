#include "kubeconfig.hpp"

#include <cerrno>
#include <cstdlib>

#include <par/sdk/error.hpp>
#include <pwd.h>
#include <unistd.h>

#include "files.hpp"
#include "plugins/common/encoding.hpp"

namespace kubernetes {
namespace {

std::filesystem::path home_directory() {
  if (const char* const home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  std::string buffer(16u << 10, '\0');
  passwd entry{};
  passwd* found = nullptr;
  const int failed = ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return failed != 0 || found == nullptr ? std::filesystem::path() : std::filesystem::path(found->pw_dir);
}

std::string names_in(const std::map<std::string, Kubeconfig::ContextEntry>& contexts) {
  std::string names;
  for (const auto& [name, entry] : contexts) names += (names.empty() ? "\"" : ", \"") + name + "\"";
  return names.empty() ? "none" : names;
}

/// Turns the entries of one context into a Cluster.
class Resolver {
 public:
  Resolver(const Kubeconfig& config, std::string_view context)
      : config_(config), context_(context.empty() ? config.current_context : std::string(context)) {}

  std::pair<Cluster, std::optional<ExecPlugin>> resolve() {
    if (context_.empty()) {
      fail("the connection's token \"context\" is empty and there is no current-context; contexts: " +
           names_in(config_.contexts));
    }
    const auto context = config_.contexts.find(context_);
    if (context == config_.contexts.end()) {
      fail("there is no context \"" + context_ + "\"; contexts: " + names_in(config_.contexts));
    }
    cluster_.origin = "context \"" + context_ + "\" of " + config_.file.native();
    const std::string& cluster_name = context->second.cluster;
    if (cluster_name.empty()) fail("context \"" + context_ + "\" names no cluster");
    const auto cluster = config_.clusters.find(cluster_name);
    if (cluster == config_.clusters.end()) {
      fail("context \"" + context_ + "\" names cluster \"" + cluster_name +
           "\", which is not among the clusters");
    }
    at_ = "cluster \"" + cluster_name + "\": ";
    read(cluster->second);
    const std::string& user_name = context->second.user;
    if (user_name.empty()) return {std::move(cluster_), std::nullopt};  // anonymous
    at_.clear();
    const auto user = config_.users.find(user_name);
    if (user == config_.users.end()) {
      fail("context \"" + context_ + "\" names user \"" + user_name + "\", which is not among the users");
    }
    at_ = "user \"" + user_name + "\": ";
    std::optional<ExecPlugin> exec = read(user->second);
    if (exec) exec->cluster_config_json = cluster->second.exec_config_json;
    return {std::move(cluster_), std::move(exec)};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw par::Error("kubeconfig " + config_.file.native() + ": " + at_ + what);
  }

  std::filesystem::path absolute(const std::string& path) const { return config_.file.parent_path() / path; }

  std::string from_file(const std::string& path, const char* field) const {
    FileContent content = read_file(absolute(path));
    if (content.problem.empty() && trimmed(content.text).empty()) content.problem = "the file is empty";
    if (!content.problem.empty())
      fail(std::string(field) + " " + absolute(path).native() + ": " + content.problem);
    return std::move(content.text);
  }

  // Data in the kubeconfig wins over a file.
  std::string pem(const std::string& data, const std::string& path, const char* field) const {
    if (data.empty()) return path.empty() ? std::string() : from_file(path, field);
    std::string digits = data;  // may be broken into lines
    std::erase_if(digits, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    std::string text;
    if (!plugin_common::base64_decode(digits, text) || text.find("-----BEGIN") == std::string::npos) {
      fail(std::string(field) + "-data is not a PEM text in base64");
    }
    return text;
  }

  void read(const Kubeconfig::ClusterEntry& entry) {
    if (entry.server.empty()) fail("server is missing");
    const bool http = entry.server.rfind("http://", 0) == 0;
    if (!http && entry.server.rfind("https://", 0) != 0)
      fail("server must be a URL that begins with https://");
    if (entry.server.find_first_of("@?#") != std::string::npos) {
      fail("server must be a URL without user name, query and fragment; credentials belong to the user");
    }
    cluster_.server = entry.server;
    while (cluster_.server.back() == '/') cluster_.server.pop_back();
    cluster_.ca_pem = pem(entry.ca_data, entry.ca_file, "certificate-authority");
    if (entry.insecure && !cluster_.ca_pem.empty()) {
      fail("certificate-authority and insecure-skip-tls-verify exclude each other");
    }
    cluster_.verify = !entry.insecure;
    cluster_.server_name = entry.server_name;
    if (!entry.proxy.empty() && entry.proxy.rfind("http://", 0) != 0 &&
        entry.proxy.rfind("https://", 0) != 0) {
      fail("proxy-url must begin with http:// or https:// (SOCKS is not supported)");
    }
    cluster_.proxy = entry.proxy;
    cluster_.compress = entry.compress;
  }

  std::optional<ExecPlugin> read(const Kubeconfig::UserEntry& entry) {
    if (!entry.auth_provider.empty()) {
      fail("auth-provider (" + entry.auth_provider +
           ") left Kubernetes with version 1.26; use an exec plugin");
    }
    cluster_.certificate_pem = pem(entry.certificate_data, entry.certificate_file, "client-certificate");
    cluster_.key_pem = pem(entry.key_data, entry.key_file, "client-key");
    if (cluster_.certificate_pem.empty() != cluster_.key_pem.empty()) {
      fail(cluster_.key_pem.empty() ? "client-certificate is given without client-key"
                                    : "client-key is given without client-certificate");
    }
    cluster_.impersonation = entry.impersonation;
    const std::string token = bearer_token(entry);
    const bool basic = !entry.username.empty() || !entry.password.empty();
    if (basic && !token.empty()) fail("token and username exclude each other");
    if (!token.empty()) cluster_.set_token(token);
    if (basic) {
      cluster_.authorization = "Basic " + plugin_common::base64(entry.username + ":" + entry.password);
      cluster_.secret = entry.password;
    }
    if (!entry.exec) return std::nullopt;
    if (!cluster_.authorization.empty()) fail("exec excludes token and username");
    ExecPlugin exec = *entry.exec;
    // As shells do it: only a name without a slash is looked up.
    if (exec.command.find('/') != std::string::npos) exec.command = absolute(exec.command).native();
    return exec;
  }

  // The file, which may be renewed, wins while it can be read.
  std::string bearer_token(const Kubeconfig::UserEntry& entry) const {
    if (entry.token_file.empty()) return entry.token;
    if (!entry.token.empty()) {
      const FileContent content = read_file(absolute(entry.token_file));
      const std::string token = trimmed(content.text);
      return content.problem.empty() && !token.empty() ? token : entry.token;
    }
    return trimmed(from_file(entry.token_file, "tokenFile"));
  }

  const Kubeconfig& config_;
  std::string context_;
  std::string at_;
  Cluster cluster_;
};

}  // namespace

std::pair<Cluster, std::optional<ExecPlugin>> resolve_context(const Kubeconfig& config,
                                                              std::string_view context) {
  return Resolver(config, context).resolve();
}

std::shared_ptr<const Kubeconfig> KubeconfigFile::read() {
  const std::filesystem::path home = home_directory();
  if (home.empty()) {
    throw par::Error(
        "there is no kubeconfig: the runner's user has no home directory; set the variable HOME");
  }
  const std::filesystem::path path = home / ".kube" / "config";
  FileContent content = read_file(path);
  if (!content.problem.empty()) {
    throw par::Error(
        "there is no kubeconfig: " + path.native() +
        " (in the home directory of the runner's user): " + content.problem +
        "; put one there, or use a connection without tokens for the service account of the runner's pod");
  }
  const std::lock_guard lock(mutex_);
  if (parsed_ == nullptr || path != path_ || content.text != text_) {
    parsed_ = std::make_shared<const Kubeconfig>(parse_kubeconfig(path, content.text));
    path_ = path;
    text_ = std::move(content.text);
  }
  return parsed_;
}

}  // namespace kubernetes
