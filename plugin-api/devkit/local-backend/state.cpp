#include "plugin-api/devkit/local-backend/state.hpp"

#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/files.hpp"
#include "core/base/json.hpp"

namespace par::backend {
namespace {

using core::fail;
namespace fs = std::filesystem;

constexpr size_t k_largest_state = size_t{16} << 20;
constexpr unsigned k_secret = 0600;
constexpr unsigned k_public = 0644;
constexpr int64_t k_example_org = 4242;

std::string text_of(const json::Value& object, const char* name) {
  const json::Value* const value = json::find(object, name);
  return value != nullptr && value->IsString() ? std::string(json::text(*value)) : std::string();
}

Result<SigningKey> read_key(const json::Value& value) {
  SigningKey key;
  const Result<KeyType> type = parse_key_type(text_of(value, "type"));
  if (!type) return tl::unexpected(type.error());
  const Result<Key> secret = private_key_from_pem(text_of(value, "private_key"));
  if (!secret) return tl::unexpected(secret.error());
  key.type = *type;
  key.key = *secret;
  key.file = text_of(value, "file");
  const json::Value* const published = json::find(value, "published");
  key.published = published != nullptr && published->IsTrue();
  return key;
}

std::vector<std::string> texts_of(const json::Value& object, const char* name) {
  std::vector<std::string> texts;
  const json::Value* const list = json::find(object, name);
  if (list == nullptr || !list->IsArray()) return texts;
  for (const json::Value& item : list->GetArray()) {
    if (item.IsString()) texts.emplace_back(json::text(item));
  }
  return texts;
}

Result<std::vector<EnrolledRunner>> read_enrolled(const json::Value& list) {
  std::vector<EnrolledRunner> runners;
  for (const json::Value& entry : list.GetArray()) {
    const Result<Key> key = public_key_from_pem(text_of(entry, "public_key"));
    if (!key) return tl::unexpected(key.error());
    runners.push_back({text_of(entry, "id"), text_of(entry, "name"), *key, texts_of(entry, "modes")});
  }
  return runners;
}

Result<State> read_state(const std::string& text) {
  const auto document = core::parse_json(text);
  if (!document) return tl::unexpected(document.error());
  State state;
  const json::Value* const org = json::find(*document, "org_id");
  const json::Value* const version = json::find(*document, "remote_config_version");
  const json::Value* const keys = json::find(*document, "keys");
  const json::Value* const tuf = json::find(*document, "tuf");
  const json::Value* const enrolled = json::find(*document, "enrolled");
  if (org == nullptr || !org->IsInt64() || version == nullptr || !version->IsUint64() || keys == nullptr ||
      !keys->IsObject() || tuf == nullptr || !tuf->IsArray() || tuf->Empty() || enrolled == nullptr ||
      !enrolled->IsArray())
    return fail("members are missing");
  state.org_id = org->GetInt64();
  state.remote_config_version = version->GetUint64();
  state.runner_id = text_of(*document, "runner_id");
  state.certificate = {text_of(*document, "ca"), text_of(*document, "certificate"),
                       text_of(*document, "certificate_key")};
  const Result<Key> runner_key = private_key_from_pem(text_of(*document, "runner_key"));
  if (!runner_key) return tl::unexpected(runner_key.error());
  state.runner_key = *runner_key;
  auto runners = read_enrolled(*enrolled);
  if (!runners) return tl::unexpected(runners.error());
  state.enrolled = std::move(*runners);
  state.api_key = text_of(*document, "api_key");
  state.app_key = text_of(*document, "app_key");
  for (const auto& member : keys->GetObject()) {
    Result<SigningKey> key = read_key(member.value);
    if (!key) return tl::unexpected(key.error());
    state.keys.restore(std::string(json::text(member.name)), std::move(*key));
  }
  state.keys.sign_with(text_of(*document, "signing"));
  std::vector<Key> tuf_keys;
  std::vector<std::string> roots;
  for (const json::Value& entry : tuf->GetArray()) {
    const Result<Key> key = private_key_from_pem(text_of(entry, "private_key"));
    if (!key) return tl::unexpected(key.error());
    tuf_keys.push_back(*key);
    roots.push_back(text_of(entry, "root"));
  }
  state.tuf = TufSigner(std::move(tuf_keys), std::move(roots));
  return state;
}

State make_state(const NewState& wanted) {
  State state;
  state.org_id = wanted.org_id.value_or(k_example_org);
  state.runner_id =
      wanted.runner_id.value_or(fmt::format("runner-{}", core::base64url_encode(core::random_bytes(16))));
  state.runner_key = make_p256_key();
  state.api_key = core::hex_encode(core::random_bytes(16));
  state.app_key = core::hex_encode(core::random_bytes(20));
  state.certificate = make_server_certificate();
  const Result<SigningKey*> key = state.keys.put("key-1", wanted.key_type);
  if (key) state.keys.sign_with("key-1");
  return state;
}

Result<void> write_key_files(const fs::path& directory, const Keyring& keys) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fail(fmt::format("{}: {}", directory.native(), error.message()));
  for (const auto& [id, key] : keys.all()) {
    const fs::path file = directory / (id + ".json");
    if (!key.published) {
      fs::remove(file, error);
      continue;
    }
    const auto present = core::read_file(file, k_largest_state);
    if (present && *present == key.file) continue;
    if (auto done = core::write_file_atomically(file, key.file, k_public); !done) return done;
  }
  return {};
}

}  // namespace

std::string State::urn_of(std::string_view runner) const {
  return fmt::format("urn:dd:apps:on-prem-runner:us1:{}:{}", org_id, runner);
}

Result<State> open_state(const fs::path& directory, const NewState& wanted) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fail(fmt::format("{}: {}", directory.native(), error.message()));
  const fs::path file = directory / "state.json";
  if (!fs::exists(file, error)) return make_state(wanted);
  const auto text = core::read_file(file, k_largest_state);
  if (!text) return tl::unexpected(text.error());
  Result<State> state = read_state(*text);
  if (!state)
    return fail(fmt::format("{} is damaged ({}); delete {} to begin anew", file.native(),
                            state.error().message, directory.native()));
  if ((wanted.org_id && *wanted.org_id != state->org_id) ||
      (wanted.runner_id && *wanted.runner_id != state->runner_id))
    return fail(fmt::format("{} holds {}; leave out --org and --runner-id, or use another directory",
                            directory.native(), state->urn()));
  return state;
}

Result<void> save_state(const fs::path& directory, const State& state) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  const auto text = [&](const char* name, std::string_view value) {
    writer.Key(name);
    writer.String(value);
  };
  writer.StartObject();
  writer.Key("org_id");
  writer.Int64(state.org_id);
  text("runner_id", state.runner_id);
  text("runner_key", private_pem(state.runner_key));
  text("api_key", state.api_key);
  text("app_key", state.app_key);
  writer.Key("enrolled");
  writer.StartArray();
  for (const EnrolledRunner& runner : state.enrolled) {
    writer.StartObject();
    text("id", runner.id);
    text("name", runner.name);
    text("public_key", public_pem(runner.public_key));
    writer.Key("modes");
    writer.StartArray();
    for (const std::string& mode : runner.modes) writer.String(mode);
    writer.EndArray();
    writer.EndObject();
  }
  writer.EndArray();
  text("ca", state.certificate.ca);
  text("certificate", state.certificate.certificate);
  text("certificate_key", state.certificate.private_key);
  writer.Key("remote_config_version");
  writer.Uint64(state.remote_config_version);
  text("signing", state.keys.signing_id());
  writer.Key("keys");
  writer.StartObject();
  for (const auto& [id, key] : state.keys.all()) {
    writer.Key(id);
    writer.StartObject();
    text("type", name_of(key.type));
    text("private_key", private_pem(key.key));
    text("file", key.file);
    writer.Key("published");
    writer.Bool(key.published);
    writer.EndObject();
  }
  writer.EndObject();
  writer.Key("tuf");
  writer.StartArray();
  for (size_t i = 0; i < state.tuf.keys().size(); ++i) {
    writer.StartObject();
    text("private_key", private_pem(state.tuf.keys()[i]));
    text("root", state.tuf.roots()[i]);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  const std::string_view content(buffer.GetString(), buffer.GetSize());
  if (auto done = core::write_file_atomically(directory / "state.json", content, k_secret); !done)
    return done;
  return write_key_files(directory / "keys", state.keys);
}

std::string Endpoint::url() const {
  return fmt::format("{}://localhost:{}", plain_http ? "http" : "https", port);
}

Result<void> write_files(const fs::path& directory, const State& state, const Endpoint& endpoint) {
  const std::string jwk = private_jwk(state.runner_key);
  const std::string keys = (directory / "keys").native();
  const std::string root = (directory / "root.json").native();

  std::string config = fmt::format(
      "# Written by par-local-backend at each start: copy it before you change it.\n"
      "ddBaseURL: https://app.datadoghq.com\n"
      "apiURL: {0}\nremoteConfigURL: {0}\n{1}urn: {2}\nprivateKey: {3}\nmodes: [pull]\nport: 0\n",
      endpoint.url(), endpoint.plain_http ? "allowInsecureURLs: true\n" : "", state.urn(), jwk);
  config += endpoint.remote_config ? fmt::format("remoteConfigRoot: \"{}\"\n", root)
                                   : fmt::format("keysDirectory: \"{}\"\n", keys);
  config += endpoint.allow.empty() ? "actionsAllowlist: []\n" : "actionsAllowlist:\n";
  for (const std::string& action : endpoint.allow) config += fmt::format("  - \"{}\"\n", action);

  const std::string task = fmt::format(
      "{{\n  \"action\": \"{}\",\n  \"inputs\": {{\"verb\": \"GET\", \"url\": "
      "\"http://127.0.0.1:8000/\"}}\n}}\n",
      endpoint.allow.empty() || endpoint.allow.front().back() == '*' ? "com.datadoghq.http.request"
                                                                     : endpoint.allow.front());

  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  const auto text = [&](const char* name, std::string_view value) {
    writer.Key(name);
    writer.String(value);
  };
  writer.StartObject();
  writer.Key("pid");
  writer.Int64(::getpid());
  text("url", endpoint.url());
  writer.Key("port");
  writer.Uint(endpoint.port);
  text("control_url", fmt::format("http://127.0.0.1:{}", endpoint.control_port));
  text("control_token", endpoint.control_token);
  text("urn", state.urn());
  writer.Key("org_id");
  writer.Int64(state.org_id);
  text("runner_id", state.runner_id);
  text("private_key", jwk);
  text("api_key", state.api_key);
  text("app_key", state.app_key);
  text("ca_file", (directory / "ca.pem").native());
  text("config_file", (directory / "config.yaml").native());
  text("keys_directory", keys);
  text("root_file", root);
  writer.EndObject();

  struct File {
    const char* name;
    std::string_view content;
    unsigned mode;
  };
  // endpoint.json comes last: whoever sees it may rely on the others.
  for (const File& file : {File{"ca.pem", state.certificate.ca, k_public},
                           File{"root.json", state.tuf.roots().front(), k_public},
                           File{"config.yaml", config, k_secret}, File{"task.example.json", task, k_public},
                           File{"endpoint.json", {buffer.GetString(), buffer.GetSize()}, k_secret}}) {
    if (auto done = core::write_file_atomically(directory / file.name, file.content, file.mode); !done)
      return done;
  }
  return {};
}

}  // namespace par::backend
