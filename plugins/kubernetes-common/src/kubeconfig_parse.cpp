#include <par/json.hpp>
#include <par/sdk/error.hpp>
#include <yaml-cpp/yaml.h>

#include "kubeconfig.hpp"

namespace kubernetes {
namespace {

/// Reads members of one entry; `where_` names it in errors.
class Reader {
 public:
  Reader(const std::filesystem::path& file, std::string where) : file_(file), where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw par::Error("kubeconfig " + file_.native() + ": " + (where_.empty() ? what : where_ + ": " + what));
  }
  Reader at(const std::string& place) const {
    return {file_, where_.empty() ? place : where_ + ": " + place};
  }

  std::string text(const YAML::Node& node, const char* name) const {
    const YAML::Node member = node[name];
    if (!member || member.IsNull()) return {};
    if (!member.IsScalar()) fail(std::string(name) + " must be a text");
    return member.Scalar();
  }
  bool flag(const YAML::Node& node, const char* name) const {
    const YAML::Node member = node[name];
    bool value = false;
    if (!member || member.IsNull()) return false;
    if (!member.IsScalar() || !YAML::convert<bool>::decode(member, value)) {
      fail(std::string(name) + " must be true or false");
    }
    return value;
  }
  std::vector<std::string> texts(const YAML::Node& node, const char* name) const {
    std::vector<std::string> list;
    const YAML::Node member = node[name];
    if (!member || member.IsNull()) return list;
    if (!member.IsSequence()) fail(std::string(name) + " must be a list");
    for (const YAML::Node& item : member) {
      if (!item.IsScalar()) fail(std::string(name) + " must be a list of texts");
      list.push_back(item.Scalar());
    }
    return list;
  }

 private:
  const std::filesystem::path& file_;
  std::string where_;
};

// Plain scalars that look like a number, a boolean or null are one, as everywhere in YAML.
void write_scalar(par::json::Writer& writer, const YAML::Node& node) {
  bool flag = false;
  int64_t whole = 0;
  double number = 0;
  const bool plain = node.Tag() != "!";  // quoted
  if (plain && YAML::convert<bool>::decode(node, flag)) {
    writer.Bool(flag);
  } else if (plain && YAML::convert<int64_t>::decode(node, whole)) {
    writer.Int64(whole);
  } else if (plain && YAML::convert<double>::decode(node, number)) {
    writer.Double(number);
  } else {
    writer.String(node.Scalar());
  }
}

void write_json(par::json::Writer& writer, const YAML::Node& node) {
  if (node.IsMap()) {
    writer.StartObject();
    for (const auto& member : node) {
      writer.Key(member.first.Scalar());
      write_json(writer, member.second);
    }
    writer.EndObject();
  } else if (node.IsSequence()) {
    writer.StartArray();
    for (const YAML::Node& item : node) write_json(writer, item);
    writer.EndArray();
  } else if (node.IsScalar()) {
    write_scalar(writer, node);
  } else {
    writer.Null();
  }
}

// What the cluster keeps for exec plugins, in the extension of that name.
std::string exec_config(const YAML::Node& cluster) {
  const YAML::Node extensions = cluster["extensions"];
  if (!extensions || !extensions.IsSequence()) return {};
  for (const YAML::Node& entry : extensions) {
    const YAML::Node name = entry["name"];
    if (!name || !name.IsScalar() || name.Scalar() != "client.authentication.k8s.io/exec") continue;
    rapidjson::StringBuffer buffer;
    par::json::Writer writer(buffer);
    write_json(writer, entry["extension"]);
    return {buffer.GetString(), buffer.GetSize()};
  }
  return {};
}

Kubeconfig::ClusterEntry read_cluster(const YAML::Node& node, const Reader& reader) {
  Kubeconfig::ClusterEntry cluster;
  cluster.server = reader.text(node, "server");
  cluster.ca_file = reader.text(node, "certificate-authority");
  cluster.ca_data = reader.text(node, "certificate-authority-data");
  cluster.server_name = reader.text(node, "tls-server-name");
  cluster.proxy = reader.text(node, "proxy-url");
  cluster.insecure = reader.flag(node, "insecure-skip-tls-verify");
  cluster.compress = !reader.flag(node, "disable-compression");
  cluster.exec_config_json = exec_config(node);
  return cluster;
}

ExecPlugin read_exec(const YAML::Node& node, const Reader& reader) {
  if (!node.IsMap()) reader.fail("must be a map");
  ExecPlugin exec;
  exec.api_version = reader.text(node, "apiVersion");
  exec.command = reader.text(node, "command");
  exec.arguments = reader.texts(node, "args");
  exec.provide_cluster_info = reader.flag(node, "provideClusterInfo");
  exec.install_hint = reader.text(node, "installHint");
  if (exec.command.empty()) reader.fail("command is missing");
  if (exec.api_version != "client.authentication.k8s.io/v1" &&
      exec.api_version != "client.authentication.k8s.io/v1beta1") {
    reader.fail("apiVersion must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
  }
  if (reader.text(node, "interactiveMode") == "Always") {
    reader.fail("interactiveMode is Always, but the runner has no terminal to ask at");
  }
  const YAML::Node environment = node["env"];
  if (!environment || environment.IsNull()) return exec;
  if (!environment.IsSequence()) reader.fail("env must be a list");
  for (const YAML::Node& item : environment) {
    if (!item.IsMap()) reader.fail("env must be a list of name and value");
    exec.environment.emplace_back(reader.text(item, "name"), reader.text(item, "value"));
  }
  return exec;
}

Kubeconfig::UserEntry read_user(const YAML::Node& node, const Reader& reader) {
  Kubeconfig::UserEntry user;
  user.certificate_file = reader.text(node, "client-certificate");
  user.certificate_data = reader.text(node, "client-certificate-data");
  user.key_file = reader.text(node, "client-key");
  user.key_data = reader.text(node, "client-key-data");
  user.token = reader.text(node, "token");
  user.token_file = reader.text(node, "tokenFile");
  user.username = reader.text(node, "username");
  user.password = reader.text(node, "password");
  if (const YAML::Node provider = node["auth-provider"]; provider && provider.IsMap()) {
    user.auth_provider = reader.text(provider, "name");
    if (user.auth_provider.empty()) user.auth_provider = "without a name";
  }
  if (const YAML::Node exec = node["exec"]; exec && !exec.IsNull()) {
    user.exec = read_exec(exec, reader.at("exec"));
  }
  const auto impersonate = [&](std::string header, std::string value) {
    if (!value.empty()) user.impersonation.emplace_back(std::move(header), std::move(value));
  };
  impersonate("Impersonate-User", reader.text(node, "as"));
  impersonate("Impersonate-Uid", reader.text(node, "as-uid"));
  for (std::string& group : reader.texts(node, "as-groups"))
    impersonate("Impersonate-Group", std::move(group));
  if (const YAML::Node extra = node["as-user-extra"]; extra && !extra.IsNull()) {
    if (!extra.IsMap()) reader.fail("as-user-extra must be a map");
    for (const auto& member : extra) {
      const std::string& name = member.first.Scalar();
      for (std::string& value : reader.texts(extra, name.c_str())) {
        impersonate("Impersonate-Extra-" + name, std::move(value));
      }
    }
  }
  return user;
}

/// The entries of a list such as `clusters: [{name: ..., cluster: {...}}]`; the first of a name counts.
template <typename Entry, typename Read>
void read_entries(const YAML::Node& root, const char* list, const char* member, const Reader& reader,
                  std::map<std::string, Entry>& entries, Read&& read) {
  const YAML::Node nodes = root[list];
  if (!nodes || nodes.IsNull()) return;
  if (!nodes.IsSequence()) reader.fail(std::string(list) + " must be a list");
  for (const YAML::Node& node : nodes) {
    if (!node.IsMap()) reader.fail(std::string(list) + " must be a list of maps");
    const std::string name = reader.at(list).text(node, "name");
    const Reader at = reader.at(std::string(member) + " \"" + name + "\"");
    const YAML::Node body = node[member];
    if (body && !body.IsNull() && !body.IsMap()) at.fail(std::string(member) + " must be a map");
    entries.try_emplace(name, body && body.IsMap() ? read(body, at) : Entry());
  }
}

}  // namespace

Kubeconfig parse_kubeconfig(const std::filesystem::path& file, const std::string& text) {
  const Reader reader(file, "");
  Kubeconfig config;
  config.file = file;
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) reader.fail("it must be a map with clusters, users and contexts");
    config.current_context = reader.text(root, "current-context");
    read_entries(root, "clusters", "cluster", reader, config.clusters, read_cluster);
    read_entries(root, "users", "user", reader, config.users, read_user);
    read_entries(root, "contexts", "context", reader, config.contexts,
                 [](const YAML::Node& node, const Reader& at) {
                   return Kubeconfig::ContextEntry{at.text(node, "cluster"), at.text(node, "user")};
                 });
  } catch (const YAML::Exception& error) {
    // What follows a colon is a piece of the file, such as a password that begins with '*'.
    reader.fail("not valid YAML at line " + std::to_string(error.mark.line + 1) + ", column " +
                std::to_string(error.mark.column + 1) + ": " + error.msg.substr(0, error.msg.find(':')));
  }
  return config;
}

}  // namespace kubernetes
