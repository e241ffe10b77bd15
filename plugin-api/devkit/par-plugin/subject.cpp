#include "plugin-api/devkit/par-plugin/subject.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "core/base/json.hpp"
#include "core/base/strings.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/schema.hpp"

namespace par::kit {
namespace {

using core::fail;

// The smallest value that a schema's text allows, as far as that can be told without search.
json::Value smallest(const json::Value& schema, json::Document::AllocatorType& memory, int depth = 0) {
  if (const json::Value* const any = json::find(schema, "default")) return {*any, memory};
  const json::Value* const choice = json::find(schema, "enum");
  if (choice != nullptr && choice->IsArray() && !choice->Empty()) return {(*choice)[0], memory};
  const json::Value* type = json::find(schema, "type");
  if (type != nullptr && type->IsArray() && !type->Empty()) type = &(*type)[0];
  const std::string_view name =
      type != nullptr && type->IsString() ? json::text(*type) : std::string_view("string");
  if (name == "object") {
    json::Value object(rapidjson::kObjectType);
    const json::Value* const required = json::find(schema, "required");
    const json::Value* const properties = json::find(schema, "properties");
    if (required == nullptr || !required->IsArray() || depth > 20) return object;
    for (const auto& member : required->GetArray()) {
      const json::Value* const property =
          properties == nullptr ? nullptr : json::find(*properties, json::text(member));
      object.AddMember(json::Value(member, memory),
                       property == nullptr ? json::Value("x") : smallest(*property, memory, depth + 1),
                       memory);
    }
    return object;
  }
  const json::Value* const items = json::find(schema, "items");
  const json::Value* const least = json::find(schema, "minItems");
  if (name == "array") {
    json::Value array(rapidjson::kArrayType);
    const unsigned count = least != nullptr && least->IsUint() ? std::min(least->GetUint(), 100u) : 0;
    for (unsigned i = 0; i < count; ++i) {
      array.PushBack(items == nullptr ? json::Value("x") : smallest(*items, memory, depth + 1), memory);
    }
    return array;
  }
  if (name == "integer" || name == "number") {
    const json::Value* const minimum = json::find(schema, "minimum");
    return minimum != nullptr ? json::Value(*minimum, memory) : json::Value(1);
  }
  if (name == "boolean") return json::Value(false);
  if (name == "null") return {};
  const json::Value* const length = json::find(schema, "minLength");
  const std::string text(
      length != nullptr && length->IsUint() ? std::clamp(length->GetUint(), 1u, 10'000u) : 1u, 'x');
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), memory};
}

}  // namespace

std::string default_connection(const core::Manifest& manifest) {
  json::Document connection(rapidjson::kObjectType);
  auto& memory = connection.GetAllocator();
  json::Value tokens(rapidjson::kArrayType);
  for (const core::TokenManifest& token : manifest.tokens) {
    json::Value pair(rapidjson::kObjectType);
    pair.AddMember("name", json::Value(token.name.c_str(), memory), memory);
    const std::string_view value = token.secret ? k_canary : "x";
    pair.AddMember("value", json::Value(value.data(), static_cast<rapidjson::SizeType>(value.size()), memory),
                   memory);
    tokens.PushBack(pair, memory);
  }
  connection.AddMember("id", "", memory);
  connection.AddMember("auth", json::Value(manifest.tokens.empty() ? "none" : "token", memory), memory);
  connection.AddMember("root_tokens", tokens, memory);
  return json::write(connection);
}

core::Result<Subject> read_subject(const std::filesystem::path& file, const std::filesystem::path& samples) {
  Subject subject;
  subject.file = file;
  subject.samples_file = samples;
  const auto text = core::read_manifest_section(file);
  if (!text) return fail_in(file.string(), text);
  auto manifest = core::Manifest::parse(*text);
  if (!manifest) return fail_in(file.string(), manifest);
  subject.manifest = std::move(*manifest);
  if (!samples.empty()) {
    if (auto read = read_samples(samples, subject); !read) return tl::unexpected(read.error());
  }
  const auto document = core::parse_json(*text);
  const json::Value& actions = *json::find(*document, "actions");
  for (const core::ActionManifest& action : subject.manifest.actions) {
    const bool known = std::any_of(subject.samples.begin(), subject.samples.end(),
                                   [&](const Sample& sample) { return sample.action == action.name; });
    if (known) continue;
    json::Document inputs;
    static_cast<json::Value&>(inputs) =
        smallest(*json::find(*json::find(actions, action.name), "input"), inputs.GetAllocator());
    Sample sample;
    sample.label = sample.action = action.name;
    sample.inputs = json::write(inputs);
    sample.connection = default_connection(subject.manifest);
    subject.samples.push_back(std::move(sample));
  }
  return subject;
}

core::Result<void> read_hosts(std::string_view text, std::map<std::string, std::string>& hosts) {
  if (text.empty()) return {};
  for (const std::string_view item : core::split(text, ',')) {
    const size_t sign = item.find('=');
    const std::string address(sign == item.npos ? "" : item.substr(sign + 1));
    in6_addr ignored{};
    if (sign == 0 || (::inet_pton(AF_INET, address.c_str(), &ignored) != 1 &&
                      ::inet_pton(AF_INET6, address.c_str(), &ignored) != 1)) {
      return fail(fmt::format(
          "--net takes NAME=ADDRESS with a numeric address, and more behind commas; found {}", item));
    }
    hosts[std::string(item.substr(0, sign))] = address;
  }
  return {};
}

}  // namespace par::kit
