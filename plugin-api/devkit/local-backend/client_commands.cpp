#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

#include <fmt/format.h>
#include <rapidjson/prettywriter.h>

#include "core/base/encoding.hpp"
#include "core/base/files.hpp"
#include "plugin-api/devkit/local-backend/commands.hpp"
#include "plugin-api/devkit/local-backend/control_client.hpp"

namespace par::backend {
namespace {

using core::Result;

constexpr size_t k_largest_task_file = size_t{64} << 20;

std::string text_of(const json::Value& object, const char* name) {
  const json::Value* const value = json::find(object, name);
  return value != nullptr && value->IsString() ? std::string(json::text(*value)) : std::string();
}

int64_t number_of(const json::Value& object, const char* name) {
  const json::Value* const value = json::find(object, name);
  return value != nullptr && value->IsInt64() ? value->GetInt64() : 0;
}

Result<std::string> read_task_file(const std::string& name) {
  if (name == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  return core::read_file(name, k_largest_task_file);
}

Result<std::vector<std::string>> add_tasks(ControlClient& client, const std::string& file) {
  const Result<std::string> text = read_task_file(file);
  if (!text) return tl::unexpected(text.error());
  if (const auto parsed = core::parse_json(*text); !parsed)
    return core::fail_in(file == "-" ? "standard input" : file, parsed);
  const auto answer = client.call("POST", "/tasks", *text);
  if (!answer) return tl::unexpected(answer.error());
  std::vector<std::string> ids;
  if (const json::Value* list = json::find(*answer, "task_ids")) {
    for (const json::Value& id : list->GetArray()) ids.emplace_back(json::text(id));
  }
  return ids;
}

std::string pretty(const json::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

const char* code_name(int64_t code) {
  switch (code) {
    case 1:
      return "INTERNAL_ERROR";
    case 2:
      return "ACTION_ERROR";
    case 3:
      return "CONNECTION_ERROR";
    case 4:
      return "SIGNATURE_KEY_NOT_FOUND";
    case 5:
      return "SIGNATURE_ERROR";
    case 6:
      return "EXPIRED_TASK";
    case 7:
      return "MISMATCHED_ORG_ID";
    case 8:
      return "MISMATCHED_RUNNER_ID";
    default:
      return "unknown code";
  }
}

int print_outcome(const json::Value& task, int64_t timeout_s) {
  const std::string id = text_of(task, "task_id");
  const std::string state = text_of(task, "state");
  const json::Value* const outcome = json::find(task, "outcome");
  if (state == "queued" || state == "running" || state == "forgotten") {
    std::fflush(stdout);
    complain(fmt::format("{} has no outcome after {} s: it is {}. {}", id, timeout_s, state,
                         state == "queued"
                             ? "Does a runner poll this backend? Look at: par-local-backend events"
                             : "Wait longer with: par-local-backend wait"));
    return k_exit_nothing_yet;
  }
  fmt::print("{}  {}  {}\n", id, text_of(task, "action_fqn"), state);
  if (outcome == nullptr) {
    fmt::print("  (the outcome is not kept any more)\n");
  } else if (state == "succeeded") {
    const json::Value* const outputs = json::find(*outcome, "outputs");
    fmt::print("{}\n", outputs == nullptr ? "  (no outputs)" : pretty(*outputs));
  } else {
    const int64_t code = number_of(*outcome, "error_code");
    fmt::print("  error_code     {} {}\n  error_details  {}\n  api_error      {}\n", code, code_name(code),
               text_of(*outcome, "error_details"), text_of(*outcome, "api_error"));
  }
  return state == "succeeded" ? k_exit_success : k_exit_failure;
}

int wait_for(ControlClient& client, const std::string& id, int64_t timeout_s) {
  const auto task =
      client.call("GET", fmt::format("/tasks/{}?timeout_ms={}", core::percent_encode(id), timeout_s * 1000));
  if (!task) return complain(task.error().message);
  return print_outcome(*task, timeout_s);
}

void print_event(const json::Value& event) {
  const std::string time = text_of(event, "time");
  const std::string note = text_of(event, "note");
  const std::string task = text_of(event, "task_id");
  fmt::print("{}  {:<13} {:>3}  {}{}{}\n", time.size() > 11 ? time.substr(11) : time, text_of(event, "kind"),
             number_of(event, "status"), task, task.empty() || note.empty() ? "" : "  ", note);
}

}  // namespace

int complain(const std::string& message) {
  fmt::print(stderr, "par-local-backend: {}\n", message);
  return k_exit_failure;
}

int enqueue(const ClientOptions& options) {
  auto client = ControlClient::find(options.directory);
  if (!client) return complain(client.error().message);
  const auto ids = add_tasks(*client, options.argument);
  if (!ids) return complain(ids.error().message);
  for (const std::string& id : *ids) fmt::print("{}\n", id);
  return k_exit_success;
}

int run(const ClientOptions& options) {
  auto client = ControlClient::find(options.directory);
  if (!client) return complain(client.error().message);
  const auto ids = add_tasks(*client, options.argument);
  if (!ids) return complain(ids.error().message);
  int exit_code = k_exit_success;
  for (const std::string& id : *ids)
    exit_code = std::max(exit_code, wait_for(*client, id, options.timeout_s));
  return exit_code;
}

int wait(const ClientOptions& options) {
  auto client = ControlClient::find(options.directory);
  if (!client) return complain(client.error().message);
  return wait_for(*client, options.argument, options.timeout_s);
}

int events(const ClientOptions& options) {
  auto client = ControlClient::find(options.directory);
  if (!client) return complain(client.error().message);
  int64_t seen = 0;
  do {
    const auto answer =
        client->call("GET", fmt::format("/events?after={}&timeout_ms={}", seen, options.follow ? 30'000 : 0));
    if (!answer) return options.follow ? k_exit_success : complain(answer.error().message);
    const json::Value& list = *json::find(*answer, "events");
    for (const json::Value& event : list.GetArray()) {
      if (options.json)
        fmt::print("{}\n", json::write(event));
      else
        print_event(event);
    }
    std::fflush(stdout);
    seen = number_of(*answer, "next");
    if (!options.follow && list.Empty()) break;
  } while (true);
  return k_exit_success;
}

int stop(const ClientOptions& options) {
  auto client = ControlClient::find(options.directory);
  if (!client) return complain(client.error().message);
  if (const auto answer = client->call("POST", "/stop"); !answer) return complain(answer.error().message);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::filesystem::exists(options.directory / "endpoint.json")) {
    if (std::chrono::steady_clock::now() > limit)
      return complain(fmt::format("the backend (pid {}) does not end", client->pid()));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return k_exit_success;
}

}  // namespace par::backend
