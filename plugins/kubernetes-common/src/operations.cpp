#include "operations.hpp"

#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bodies.hpp"
#include "delete_multiple.hpp"
#include "errors.hpp"
#include "inputs.hpp"
#include "outputs.hpp"
#include "paths.hpp"

namespace kubernetes {
namespace {

// How much longer an answer may be than the result that is cut out of it: apiVersion, kind and white space.
constexpr uint64_t k_around_result = 4096;

constexpr std::string_view k_json_patch = "application/json-patch+json";
constexpr std::string_view k_merge_patch = "application/merge-patch+json";

Query options_of(const Inputs& inputs) {
  Query query;
  query.add("dryRun", inputs.dry_run)
      .add("fieldManager", inputs.field_manager)
      .add("fieldValidation", inputs.field_validation);
  if (inputs.force) query.add("force", *inputs.force ? "true" : "false");
  return query;
}

/// A request with the text that its body is a view of.
struct Prepared {
  ApiRequest request;
  std::string body;
};

Prepared prepare(const Kind& kind, const VerbRow& verb, const Inputs& inputs) {
  Prepared prepared;
  ApiRequest& request = prepared.request;
  request.method = verb.method;
  const auto object = [&] { return object_path(kind, inputs.name_space, inputs.name); };
  switch (verb.verb) {
    case Verb::create:
      request.target = collection_path(kind, inputs.name_space) + options_of(inputs).text();
      prepared.body = manifest_body(kind, *inputs.body);
      break;
    case Verb::get:
      request.target = object();
      break;
    case Verb::list:
      request.target = collection_path(kind, inputs.name_space) +
                       selection(inputs, inputs.limit).add("continue", inputs.continue_token).text();
      break;
    case Verb::update:
      request.target = object() + options_of(inputs).text();
      prepared.body = manifest_body(kind, *inputs.body);
      break;
    case Verb::patch:
      request.target = object() + options_of(inputs).text();
      request.content_type = k_json_patch;
      prepared.body = par::json::write(*inputs.body);
      break;
    case Verb::restart:
      request.target = object();
      request.content_type = k_merge_patch;
      prepared.body = restart_patch(std::time(nullptr));
      break;
    case Verb::remove:
      request.target = object();
      prepared.body = delete_options(inputs);
      break;
    case Verb::remove_multiple:
      break;  // more than one request: delete_multiple()
  }
  return prepared;
}

void hand_over(par::Call& call, const Parts& parts) {
  std::vector<par_str> strs;
  strs.reserve(parts.size());
  for (const std::string_view part : parts) strs.push_back(par::to_str(part));
  try {
    call.result(strs.data(), strs.size());
  } catch (const par::Error& error) {
    if (error.status() != PAR_BAD_RESULT) throw;
    throw par::Error(
        "the server's answer cannot be a result: it is no JSON in valid UTF-8 of at most 256 levels");
  }
}

[[noreturn]] void fail_too_large(const Attempt& attempt, uint64_t limit) {
  std::string text = "the answer is larger than a result may be (" + std::to_string(limit) + " bytes)";
  if (attempt.verb.verb == Verb::list) {
    text += std::string(": ask for fewer ") + attempt.kind.resource() +
            " with limit, labelSelector or fieldSelector" +
            (attempt.kind.scope == Scope::namespaced && attempt.name_space.empty()
                 ? ", or for those of one namespace"
                 : "");
  }
  throw par::Error(PAR_LIMIT, std::move(text));
}

void log_warnings(const par::HttpResponse& response, const par::Call& call) {
  for (size_t at = 0; at < response.header_count(); ++at) {
    const auto [name, value] = response.header(at);
    if (name == "Warning" || name == "warning") {
      call.log(par::LogLevel::info, "the API server warns: " + std::string(value));
    }
  }
}

}  // namespace

void run_operation(const Kind& kind, const VerbRow& verb, const par::Request& task, par::Call& call,
                   Connections& connections) {
  const Inputs inputs(task.inputs_json(), kind, verb);
  Prepared prepared = prepare(kind, verb, inputs);  // bad inputs are found before anything is opened
  prepared.request.body = prepared.body;
  const par::Connection connection(task.connection_json());
  Client client(connections, connection, call);
  if (verb.verb == Verb::remove_multiple) {
    delete_multiple(client, kind, verb, inputs);
    call.result("{}");
    return;
  }
  const Attempt attempt{kind, verb, verb.rbac_verbs.front(), inputs.name_space, inputs.name};
  par::HttpResponse response = client.send(prepared.request);
  log_warnings(response, call);
  if (response.status() < 200 || response.status() > 299) {
    throw par::Error(failure_of(attempt, client, response));
  }
  if (verb.output == Output::nothing) {
    client.discard(std::move(response));
    call.result("{}");
    return;
  }
  const uint64_t limit = call.max_result_bytes();
  try {
    const std::string answer = client.read(response, limit + k_around_result);
    const auto parts = verb.output == Output::list ? list_output(answer) : object_output(kind, answer);
    if (!parts) {
      throw par::Error("the answer of " + client.cluster().server + " is no " + std::string(kind.name) +
                       (verb.output == Output::list ? " list" : "") +
                       " in JSON; is it a Kubernetes API server?");
    }
    hand_over(call, *parts);
  } catch (const par::Error& error) {
    if (error.status() == PAR_LIMIT) fail_too_large(attempt, limit);
    if (!verb.writes) throw;
    throw par::Error(error.status(), "the server did it (HTTP status " + std::to_string(response.status()) +
                                         "), but what it answered cannot be used: " + error.message());
  }
}

}  // namespace kubernetes
