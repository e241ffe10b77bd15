// Samples: what an author says of calls and how they end.
#include <algorithm>

#include <fmt/format.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/base/json_members.hpp"
#include "core/base/strings.hpp"
#include "core/plugin/inputs.hpp"
#include "core/plugin/schema.hpp"
#include "plugin-api/devkit/par-plugin/connection_schema.hpp"
#include "plugin-api/devkit/par-plugin/status.hpp"
#include "plugin-api/devkit/par-plugin/subject.hpp"

namespace par::kit {
namespace {

using core::did_you_mean;
using core::fail;
using core::Members;
using core::Result;

constexpr size_t k_max_samples = 16u << 20;

// A member that is a text, or JSON whose text is meant.
void read_text(Members& members, const std::string& name, std::string& text) {
  if (const json::Value* const value = members.any(name)) {
    text = value->IsString() ? std::string(json::text(*value)) : json::write(*value);
  }
}

void read_number(Members& members, const std::string& name, int& number) {
  int64_t value = number;
  members.read(name, value);
  if (value < INT32_MIN || value > INT32_MAX) {
    members.mistake(fmt::format("{}.{} must fit 32 bits", members.where(), name));
  }
  number = static_cast<int>(value);
}

void read_headers(Members& members, HttpAnswer& answer) {
  const json::Value* const headers = members.any("headers");
  if (headers == nullptr) return;
  const auto is_text = [](const auto& header) { return header.value.IsString(); };
  if (!headers->IsObject() || !std::all_of(headers->MemberBegin(), headers->MemberEnd(), is_text)) {
    members.mistake(members.where() + ".headers must be an object of texts");
    return;
  }
  for (const auto& header : headers->GetObject()) {
    answer.headers.emplace_back(json::text(header.name), json::text(header.value));
  }
}

Result<Answer> read_answer(const json::Value& source, const std::string& where, bool only_programs) {
  Members members(source, where);
  HttpAnswer server;
  ProcessAnswer program;
  const auto has = [&](auto... names) { return ((json::find(source, names) != nullptr) || ...); };
  const bool is_program = has("exit_code", "stdout", "stderr");
  const bool is_server = has("status", "headers", "body");
  read_number(members, "status", server.status);
  read_headers(members, server);
  read_text(members, "body", server.body);
  read_number(members, "exit_code", program.exit_code);
  read_text(members, "stdout", program.output);
  read_text(members, "stderr", program.errors);
  if (is_program && is_server) {
    members.mistake(where +
                    " is a server's (status, headers, body) and a program's (exit_code, stdout, stderr)");
  }
  if (auto read = members.finish(); !read) return tl::unexpected(read.error());
  if (is_program || (only_programs && !is_server)) return Answer(std::move(program));
  return Answer(std::move(server));
}

Result<Expectation> read_expectation(const json::Value& source, const std::string& where) {
  Expectation expectation;
  Members members(source, where);
  std::string name = "PAR_ERROR";
  members.read("status", name);
  members.read("message", expectation.message);
  if (auto read = members.finish(); !read) return tl::unexpected(read.error());
  const auto status = status_named(name);
  if (!status) {
    const auto names = status_names();
    return fail(fmt::format("{}.status is \"{}\"{}; known are {}", where, name, did_you_mean(name, names),
                            fmt::join(names, ", ")));
  }
  expectation.status = *status;
  if (*status == PAR_OK && !expectation.message.empty()) {
    return fail(where + ".message: a call that succeeds has no error text");
  }
  return expectation;
}

// Members that no schema lists: a host may send them, a person has misspelt something.
Result<void> refuse_unlisted(const json::Value& value, const json::Value& schema, const std::string& where) {
  if (const json::Value* const items = json::find(schema, "items"); items != nullptr && value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      if (auto ok = refuse_unlisted(value[i], *items, fmt::format("{}[{}]", where, i)); !ok) return ok;
    }
  }
  const json::Value* const properties = json::find(schema, "properties");
  if (properties == nullptr || !value.IsObject()) return {};
  std::vector<std::string> known;
  for (const auto& property : properties->GetObject()) known.emplace_back(json::text(property.name));
  for (const auto& member : value.GetObject()) {
    const std::string_view name = json::text(member.name);
    const json::Value* const property = json::find(*properties, name);
    if (property == nullptr) {
      return fail(fmt::format("{} has no member \"{}\"{}", where, name, did_you_mean(name, known)));
    }
    if (auto ok = refuse_unlisted(member.value, *property, fmt::format("{}.{}", where, name)); !ok) return ok;
  }
  return {};
}

Result<void> check_connection(const json::Value& connection, const std::string& where, bool must_work,
                              const core::Manifest& manifest) {
  static const auto k_document = core::parse_json(k_connection_schema);
  static const auto k_schema = core::Schema::compile(*k_document, "connection.schema.json");
  if (const auto valid = k_schema->validate(connection, "connection"); !valid) return fail_in(where, valid);
  if (auto listed = refuse_unlisted(connection, *k_document, where + ".connection"); !listed) return listed;
  if (!must_work) return {};
  std::vector<std::string> given;
  for (const auto& token : connection["root_tokens"].GetArray()) {
    given.emplace_back(json::text(token["name"]));
  }
  for (const core::TokenManifest& token : manifest.tokens) {
    if (!token.required || std::find(given.begin(), given.end(), token.name) != given.end()) continue;
    const std::string_view near = core::nearest(token.name, given);
    return fail(fmt::format("{}.connection.root_tokens has no \"{}\", which the manifest requires{}", where,
                            token.name, near.empty() ? "" : fmt::format(" (is \"{}\" meant?)", near)));
  }
  return {};
}

Result<Sample> read_sample(const json::Value& source, const std::string& where, const Subject& subject,
                           const core::ActionManifest& action) {
  Sample sample;
  sample.action = action.name;
  sample.connection = default_connection(subject.manifest);
  Members members(source, where);
  std::string name;
  members.read("name", name);
  const json::Value* const inputs = members.any("inputs");
  const json::Value* const connection = members.any("connection");
  const json::Value* const answers = members.any("answers");
  const json::Value* const expects = members.any("expect");
  if (inputs != nullptr && !inputs->IsObject()) members.mistake(where + ".inputs must be an object");
  if (answers != nullptr && !answers->IsArray()) members.mistake(where + ".answers must be a list");
  if (auto read = members.finish(); !read) return tl::unexpected(read.error());

  sample.label = name.empty() ? "" : fmt::format(" ({})", name);
  if (inputs != nullptr) sample.inputs = json::write(*inputs);
  auto prepared = core::prepare_inputs(sample.inputs, *action.input);
  if (!prepared) return fail_in(where, prepared);
  sample.inputs = std::move(prepared->json);
  sample.expects.emplace();
  if (expects != nullptr) {
    auto expectation = read_expectation(*expects, where + ".expect");
    if (!expectation) return tl::unexpected(expectation.error());
    sample.expects = std::move(*expectation);
  }
  if (connection != nullptr) {
    const bool must_work = sample.expects->status == PAR_OK;
    if (auto valid = check_connection(*connection, where, must_work, subject.manifest); !valid)
      return tl::unexpected(valid.error());
    sample.connection = json::write(*connection);
  }
  const auto& services = subject.manifest.services;
  const bool only_programs = services.size() == 1 && services.front() == "par.process/1";
  for (rapidjson::SizeType i = 0; answers != nullptr && i < answers->Size(); ++i) {
    auto answer = read_answer((*answers)[i], fmt::format("{}.answers[{}]", where, i), only_programs);
    if (!answer) return tl::unexpected(answer.error());
    sample.answers.push_back(std::move(*answer));
  }
  return sample;
}

Result<void> read_actions(const json::Value& actions, Subject& subject) {
  std::vector<std::string> names;
  for (const core::ActionManifest& action : subject.manifest.actions) names.push_back(action.name);
  for (const auto& member : actions.GetObject()) {
    const std::string name(json::text(member.name));
    const core::ActionManifest* const action = subject.manifest.find_action(name);
    if (action == nullptr) {
      return fail(
          fmt::format("actions: the manifest has no action \"{}\"{}", name, did_you_mean(name, names)));
    }
    if (!member.value.IsArray()) return fail(fmt::format("actions.{} must be a list of samples", name));
    for (rapidjson::SizeType i = 0; i < member.value.Size(); ++i) {
      auto sample = read_sample(member.value[i], fmt::format("actions.{}[{}]", name, i), subject, *action);
      if (!sample) return tl::unexpected(sample.error());
      sample->label.insert(0, fmt::format("{}[{}]", name, i));
      subject.samples.push_back(std::move(*sample));
    }
  }
  return {};
}

}  // namespace

core::Result<void> read_samples(const std::filesystem::path& file, Subject& subject) {
  const auto text = core::read_file(file, k_max_samples);
  if (!text) return tl::unexpected(text.error());
  const auto document = core::parse_json(*text);
  if (!document) return fail_in(file.string(), document);
  Members members(*document, "the file");
  const json::Value* const settings = members.any("settings");
  const json::Value* const actions = members.any("actions");
  if (auto read = members.finish(); !read) return fail_in(file.string(), read);
  if (actions == nullptr || !actions->IsObject()) {
    return fail(file.string() + ": actions must be an object that has a list of samples for each action");
  }
  if (settings != nullptr) subject.settings = json::write(*settings);
  if (auto valid = core::check_settings(subject.manifest, subject.settings); !valid)
    return fail_in(file.string(), valid);
  if (auto read = read_actions(*actions, subject); !read) return fail_in(file.string(), read);
  return {};
}

}  // namespace par::kit
