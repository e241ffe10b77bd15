#include "plugin-api/devkit/par-plugin/subject.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/plugin/catalog.hpp"
#include "core/plugin/schema.hpp"

namespace par::kit {
namespace {

using core::fail;
using core::Result;
namespace json = par::json;

constexpr size_t k_max_samples = 16u << 20;

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

Result<Answer> read_answer(const json::Value& source, const std::string& where) {
  Answer answer;
  if (!source.IsObject()) return fail(where + " must be an object");
  if (const json::Value* const status = json::find(source, "status")) {
    if (!status->IsInt()) return fail(where + ".status must be a whole number");
    answer.status = status->GetInt();
  }
  if (const json::Value* const headers = json::find(source, "headers")) {
    if (!headers->IsObject()) return fail(where + ".headers must be an object of texts");
    for (const auto& header : headers->GetObject()) {
      if (!header.value.IsString()) return fail(where + ".headers must be an object of texts");
      answer.headers.emplace_back(json::text(header.name), json::text(header.value));
    }
  }
  if (const json::Value* const body = json::find(source, "body")) {
    answer.body = body->IsString() ? std::string(json::text(*body)) : json::write(*body);
  }
  return answer;
}

Result<Sample> read_sample(const json::Value& source, const std::string& where, const Subject& subject) {
  Sample sample;
  sample.connection = default_connection(subject.manifest);
  if (!source.IsObject()) return fail(where + " must be an object");
  for (const auto& member : source.GetObject()) {
    const std::string_view name = json::text(member.name);
    if (name == "inputs" && member.value.IsObject()) {
      sample.inputs = json::write(member.value);
    } else if (name == "connection" && member.value.IsObject()) {
      sample.connection = json::write(member.value);
    } else if (name == "succeeds" && member.value.IsBool()) {
      sample.succeeds = member.value.IsTrue();
    } else if (name == "answers" && member.value.IsArray()) {
      for (const auto& item : member.value.GetArray()) {
        auto answer = read_answer(item, where + ".answers");
        if (!answer) return tl::unexpected(answer.error());
        sample.answers.push_back(std::move(*answer));
      }
    } else {
      return fail(
          fmt::format("{}.{}: expected inputs, connection (objects), answers (a list) or succeeds "
                      "(true or false)",
                      where, name));
    }
  }
  return sample;
}

Result<void> read_samples(const std::filesystem::path& file, Subject& subject) {
  const auto text = core::read_file(file, k_max_samples);
  if (!text) return tl::unexpected(text.error());
  const auto document = core::parse_json(*text);
  if (!document) return fail_in(file.string(), document);
  if (!document->IsObject()) return fail(file.string() + ": not a JSON object");
  if (const json::Value* const settings = json::find(*document, "settings")) {
    subject.settings = json::write(*settings);
  }
  const json::Value* const actions = json::find(*document, "actions");
  if (actions == nullptr || !actions->IsObject()) {
    return fail(file.string() + ": actions must be an object that has a list of samples for each action");
  }
  for (const auto& member : actions->GetObject()) {
    const std::string name(json::text(member.name));
    const core::ActionManifest* const action = subject.manifest.find_action(name);
    if (action == nullptr)
      return fail(fmt::format("{}: the manifest has no action \"{}\"", file.string(), name));
    if (!member.value.IsArray())
      return fail(fmt::format("{}: actions.{} must be a list", file.string(), name));
    for (rapidjson::SizeType i = 0; i < member.value.Size(); ++i) {
      const std::string where = fmt::format("{}: actions.{}[{}]", file.string(), name, i);
      auto sample = read_sample(member.value[i], where, subject);
      if (!sample) return tl::unexpected(sample.error());
      const auto inputs = core::parse_json(sample->inputs);
      if (const auto valid = action->input->validate(*inputs, "inputs"); !valid) return fail_in(where, valid);
      sample->action = name;
      subject.samples.push_back(std::move(*sample));
    }
  }
  return {};
}

}  // namespace

core::Result<Subject> read_subject(const std::filesystem::path& file, const std::filesystem::path& samples) {
  Subject subject;
  subject.file = file;
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
    sample.action = action.name;
    sample.inputs = json::write(inputs);
    sample.connection = default_connection(subject.manifest);
    subject.samples.push_back(std::move(sample));
  }
  return subject;
}

}  // namespace par::kit
