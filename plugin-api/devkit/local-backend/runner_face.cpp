#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "core/base/json.hpp"
#include "plugin-api/devkit/local-backend/backend.hpp"
#include "plugin-api/devkit/local-backend/update_body.hpp"

namespace par::backend {
namespace {

// Errors on this side have the shape that Datadog's have.
Reply refusal(int status, std::string_view why, Event& event) {
  event.note = why;
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartObject();
  writer.Key("errors");
  writer.StartArray();
  writer.String(why);
  writer.EndArray();
  writer.EndObject();
  Reply reply;
  reply.status = status;
  reply.body = {buffer.GetString(), buffer.GetSize()};
  return reply;
}

Reply protobuf(std::string body) {
  Reply reply;
  reply.body = std::move(body);
  reply.content_type = "application/x-protobuf";
  return reply;
}

Reply dequeue(Backend& backend, const Request& request, Event& event) {
  ++backend.counters.dequeues;
  if (!request.body.empty()) {
    const auto body = read_update(request.body);
    if (!body) return refusal(400, body.error().message, event);
    if (body->type != "dequeue") return refusal(400, "data.type of a dequeue is not \"dequeue\"", event);
  }
  Reply reply;
  TaskRecord* const task = backend.queue.take();
  if (task == nullptr) {
    ++backend.counters.empty_dequeues;
    if (backend.retry_after_ms)
      reply.headers.emplace_back("X-Retry-After-Ms", fmt::format("{}", *backend.retry_after_ms));
    return reply;
  }
  const Delivery delivery{task->id, task->job_id, backend.state.org_id, event.runner_id, request.arrived};
  Result<std::string> answer = dequeue_answer(*task->spec, delivery, backend.state.keys);
  event.task_id = task->id;
  event.job_id = task->job_id;
  if (!answer) return refusal(500, answer.error().message, event);
  ++backend.counters.delivered;
  reply.body = std::move(*answer);
  return reply;
}

// The reason to refuse a publish whose body has the wrong form; empty if there is none.
std::string form_mistake(const UpdateBody& update) {
  if (update.type != "taskUpdate") return "data.type of a publish is not \"taskUpdate\"";
  if (update.id != "succeed_task" && update.id != "fail_task")
    return "data.id of a publish is neither \"succeed_task\" nor \"fail_task\"";
  if (update.payload.empty()) return "data.attributes.payload is missing or no object";
  if (update.action_fqn.empty()) return "data.attributes.action_fqn is missing";
  return {};
}

Reply publish(Backend& backend, const Request& request, Event& event) {
  const auto update = read_update(request.body);
  const auto reject = [&](int status, const std::string& why) {
    ++backend.counters.rejected_publishes;
    return refusal(status, why, event);
  };
  if (!update) return reject(400, update.error().message);
  event.task_id = update->task_id;
  event.job_id = update->job_id;
  if (const std::string mistake = form_mistake(*update); !mistake.empty()) return reject(400, mistake);

  const bool success = update->id == "succeed_task";
  const auto published = backend.queue.publish(update->task_id, update->job_id, success, update->action_fqn,
                                               std::string(update->payload));
  if (published.verdict == Queue::Verdict::closed)
    return reject(409, "the job is closed: it has an outcome or was given up");
  if (published.verdict == Queue::Verdict::unknown_job) return reject(404, "job info not found");
  ++backend.counters.published;
  ++(success ? backend.counters.succeeded : backend.counters.failed);
  backend.waiters.notify("task/" + published.task->id);
  backend.waiters.notify("published");
  return {};
}

Reply heartbeat(Backend& backend, const Request& request, Event& event) {
  const auto update = read_update(request.body);
  if (!update) return refusal(400, update.error().message, event);
  event.task_id = update->task_id;
  event.job_id = update->job_id;
  if (update->type != "heartbeat")
    return refusal(400, "data.type of a heartbeat is not \"heartbeat\"", event);
  if (backend.queue.heartbeat(update->task_id, update->job_id) != Queue::Verdict::accepted) {
    ++backend.counters.heartbeats_404;
    return refusal(404, "job info not found", event);
  }
  ++backend.counters.heartbeats;
  return {};
}

Reply health_check(Backend& backend, const Request& request, Event& event) {
  ++backend.counters.health_checks;
  Reply reply;
  reply.headers.emplace_back("X-Server-Time", core::rfc3339(request.arrived));
  reply.body =
      fmt::format(R"({{"data":{{"type":"healthCheckResponse","id":"hc-{}","attributes":{{"id":"{}"}}}}}})",
                  backend.counters.health_checks, event.runner_id);
  return reply;
}

Reply remote_config(Backend& backend, const Request& request, Event& event) {
  ++backend.counters.remote_config_polls;
  event.body = describe_request(request.body);
  Result<std::string> answer = backend.remote_config.answer(request.body, backend.state.keys);
  if (!answer) return refusal(400, answer.error().message, event);
  return protobuf(std::move(*answer));
}

// OrgDataResponse {uuid = 1} and OrgStatusResponse {enabled = 1, authorized = 2}.
Reply organisation(Backend&, const Request&, Event&) {
  static constexpr std::string_view k_uuid = "00000000-0000-4000-8000-000000004242";
  std::string message = "\x0a";
  message += static_cast<char>(k_uuid.size());
  message += k_uuid;
  return protobuf(std::move(message));
}
Reply organisation_status(Backend&, const Request&, Event&) {
  return protobuf("\x08\x01\x10\x01");
}

// Tells the runner that was made who it is.
Reply enrolled(Backend& backend, const Result<Enrollment::Made, EnrollmentRefusal>& made,
               std::string_view type, Event& event) {
  if (!made) return refusal(made.error().status, made.error().reason, event);
  const EnrolledRunner& runner = *made->runner;
  backend.tokens.add(runner.id, runner.public_key);
  if (auto saved = backend.save(); !saved) return refusal(500, saved.error().message, event);
  ++backend.counters.enrolled;
  event.runner_id = runner.id;
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  const auto list = [&writer](const char* name, const std::vector<std::string>& texts) {
    writer.Key(name);
    writer.StartArray();
    for (const std::string& text : texts) writer.String(text);
    writer.EndArray();
  };
  writer.StartObject();
  writer.Key("data");
  writer.StartObject();
  writer.Key("type");
  writer.String(type);
  writer.Key("id");
  writer.String(runner.id);
  writer.Key("attributes");
  writer.StartObject();
  writer.Key("runner_id");
  writer.String(runner.id);
  writer.Key("org_id");
  writer.Int64(backend.state.org_id);
  list("runner_modes", runner.modes);
  if (made->actions) list("actions_allowlist", *made->actions);
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
  Reply reply;
  reply.body = {buffer.GetString(), buffer.GetSize()};
  return reply;
}

Reply enroll_with_token(Backend& backend, const Request& request, Event& event) {
  const std::string url = fmt::format("{}://{}{}", backend.scheme, request.header("host"), request.path);
  return enrolled(backend, backend.enrollment.with_token(request, url), "enrollment", event);
}
Reply enroll_with_keys(Backend& backend, const Request& request, Event& event) {
  return enrolled(backend, backend.enrollment.with_keys(request), "createRunnerResponse", event);
}

struct Route {
  std::string_view method;
  std::string_view path;
  const char* name;
  const char* token_header;  // null: whoever asks has no token yet
  Reply (*serve)(Backend&, const Request&, Event&);
};

constexpr const char* k_pull_token = "x-datadog-onprem-jwt";
constexpr const char* k_config_token = "dd-par-jwt";
constexpr std::array k_routes = {
    Route{"POST", "/api/v2/on-prem-management-service/workflow-tasks/dequeue", "dequeue", k_pull_token,
          dequeue},
    Route{"POST", "/api/v2/on-prem-management-service/workflow-tasks/publish-task-update", "publish",
          k_pull_token, publish},
    Route{"POST", "/api/v2/on-prem-management-service/workflow-tasks/heartbeat", "heartbeat", k_pull_token,
          heartbeat},
    Route{"GET", "/api/v2/on-prem-management-service/runner/health-check", "health_check", k_pull_token,
          health_check},
    Route{"POST", "/api/v0.1/configurations", "remote_config", k_config_token, remote_config},
    Route{"GET", "/api/v0.1/org", "org", k_config_token, organisation},
    Route{"GET", "/api/v0.1/status", "status", k_config_token, organisation_status},
    Route{"POST", "/api/v2/on-prem-management-service/enrollments/complete", "enrollment", nullptr,
          enroll_with_token},
    Route{"POST", "/api/unstable/on_prem_runners", "enrollment", nullptr, enroll_with_keys},
};

Reply serve(Backend& backend, const Route* route, const Request& request, Event& event) {
  if (route == nullptr) return refusal(404, "par-local-backend knows no such path", event);
  if (request.method != route->method) {
    Reply reply = refusal(405, fmt::format("use {} here", route->method), event);
    reply.headers.emplace_back("Allow", std::string(route->method));
    return reply;
  }
  if (route->token_header != nullptr) {
    auto runner = backend.tokens.check(request.header(route->token_header), request.arrived);
    if (!runner) {
      ++backend.counters.unauthorized;
      return refusal(401, fmt::format("{}: {}", route->token_header, runner.error().message), event);
    }
    event.runner_id = std::move(*runner);
  }
  return route->serve(backend, request, event);
}

void handle(Backend& backend, std::shared_ptr<const Request> request, Respond respond) {
  const auto found = std::find_if(k_routes.begin(), k_routes.end(),
                                  [&](const Route& route) { return route.path == request->path; });
  const Route* const route = found == k_routes.end() ? nullptr : &*found;
  const bool is_dequeue = route != nullptr && route->serve == dequeue;
  Event event;
  event.kind = route == nullptr ? "other" : route->name;
  if (is_dequeue) {
    ++backend.dequeues_in_flight;
    backend.counters.most_concurrent_dequeues =
        std::max(backend.counters.most_concurrent_dequeues, backend.dequeues_in_flight);
  }

  const std::optional<Fault> fault = backend.faults.strike(event.kind);
  Reply reply;
  if (!fault || !fault->replaces() || fault->process) reply = serve(backend, route, *request, event);
  Milliseconds delay{0};
  if (fault) {
    ++backend.counters.faults;
    apply(*fault, reply);
    event.note += (event.note.empty() ? "" : "; ") + fault->describe();
    delay += Milliseconds(fault->delay_ms);
  }
  for (const std::string& name : {event.kind, std::string("*")}) {
    if (const auto set = backend.delays.find(name); set != backend.delays.end()) delay += set->second;
  }
  event.status = reply.end == Reply::End::keep ? reply.status : 0;
  event.request = std::move(request);
  backend.events.add(std::move(event));
  backend.waiters.notify("events");

  const auto finish = [&backend, is_dequeue](const Respond& to, Reply answer) {
    if (is_dequeue) --backend.dequeues_in_flight;
    to(std::move(answer));
  };
  if (delay.count() <= 0) return finish(respond, std::move(reply));
  backend.loop.after(
      delay, [finish, respond = std::move(respond), late = std::make_shared<Reply>(std::move(reply))] {
        finish(respond, std::move(*late));
      });
}

}  // namespace

Handler runner_face(Backend& backend) {
  return [&backend](std::shared_ptr<const Request> request, Respond respond) {
    handle(backend, std::move(request), std::move(respond));
  };
}

}  // namespace par::backend
