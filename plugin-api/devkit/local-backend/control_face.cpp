#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/base/digest.hpp"
#include "core/base/json_members.hpp"
#include "core/base/strings.hpp"
#include "plugin-api/devkit/local-backend/backend.hpp"

namespace par::backend {
namespace {

using core::Members;

constexpr size_t k_most_events_per_answer = 1000;
constexpr int64_t k_longest_wait = 10 * 60 * 1000;  // ms
constexpr int64_t k_most_copies = 1'000'000;

Reply json_reply(std::string body) {
  Reply reply;
  reply.body = std::move(body);
  return reply;
}

// An object written member by member.
class Object {
 public:
  Object() { writer_.StartObject(); }
  Object& text(const char* name, std::string_view value) {
    writer_.Key(name);
    writer_.String(value);
    return *this;
  }
  Object& number(const char* name, int64_t value) {
    writer_.Key(name);
    writer_.Int64(value);
    return *this;
  }
  Object& raw(const char* name, std::string_view value) {
    writer_.Key(name);
    writer_.RawValue(value.data(), value.size(), rapidjson::kObjectType);
    return *this;
  }
  std::string done() {
    writer_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  rapidjson::StringBuffer buffer_;
  json::Writer writer_{buffer_};
};

std::string quoted_list(const std::vector<std::string>& texts) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  writer.StartArray();
  for (const std::string& text : texts) writer.String(text);
  writer.EndArray();
  return {buffer.GetString(), buffer.GetSize()};
}

// A whole number of the query; `fallback` if it is absent or none.
int64_t number_of(const Request& request, std::string_view name, int64_t fallback) {
  const auto text = request.parameter(name);
  int64_t value = fallback;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

Milliseconds timeout_of(const Request& request) {
  return Milliseconds(std::clamp<int64_t>(number_of(request, "timeout_ms", 0), 0, k_longest_wait));
}

std::string task_json(const TaskRecord& task) {
  Object object;
  object.text("task_id", task.id)
      .text("state", name_of(task.state))
      .text("job_id", task.job_id)
      .number("deliveries", task.deliveries)
      .number("heartbeats", task.heartbeats)
      .number("publishes", task.publishes);
  if (!task.outcome.empty()) object.raw("outcome", task.outcome);
  if (!task.action_fqn.empty())
    object.text("action_fqn", task.action_fqn).text("published_at", core::rfc3339_ms(task.published_at));
  return object.done();
}

class Control {
 public:
  Control(Backend& backend, std::string token) : backend_(backend), expected_("Bearer " + token) {}

  void handle(const Request& request, const Respond& respond) {
    // Compared by digest, so that the time taken tells nothing about the token.
    if (core::sha256(request.header("authorization")) != core::sha256(expected_))
      return respond(error_reply(401, "give Authorization: Bearer <control_token of endpoint.json>"));
    const std::vector<std::string_view> parts = core::split(std::string_view(request.path).substr(1), '/');
    const std::string head(parts[0]);
    const std::string item(parts.size() > 1 ? parts[1] : "");
    const std::string verb =
        request.method + (parts.size() > 1 ? " item" : "") + (parts.size() > 2 ? " more" : "");

    if (head == "tasks" && verb == "GET item") return get_task(request, item, respond);
    if (head == "statistics" && verb == "GET") return get_statistics(request, respond);
    if (head == "events" && verb == "GET") return get_events(request, respond);
    respond(answer(request, head, item, verb));
  }

 private:
  Reply answer(const Request& request, const std::string& head, const std::string& item,
               const std::string& verb) {
    if (head == "status" && verb == "GET") return json_reply(R"({"ready":true})");
    if (head == "stop" && verb == "POST") {
      backend_.loop.after(Milliseconds(20), backend_.stop);
      return json_reply("{}");
    }
    if (head == "flush" && verb == "POST") return flush();
    if (head == "tasks" && verb == "POST item more" && request.path == "/tasks/" + item + "/forget")
      return forget(item);
    if (head == "faults" && verb == "GET") return list_faults();
    if (head == "faults" && verb == "DELETE") {
      backend_.faults.clear();
      return json_reply("{}");
    }
    if (head == "faults" && verb == "DELETE item") return remove_fault(item);
    if (head == "keys" && verb == "GET") return list_keys();
    if (head == "keys" && verb == "DELETE item") return withdraw_key(item);
    if (head == "runners" && verb == "GET") return list_runners();
    if (head == "remote-config" && verb == "GET") return remote_config_versions();
    if (head == "remote-config" && verb == "POST item" && item == "rotate-root") {
      backend_.remote_config.rotate_root();
      return saved(remote_config_versions());
    }

    const auto body = core::parse_json(request.body.empty() ? "{}" : request.body);
    if (!body) return error_reply(400, "the body is not JSON: " + body.error().message);
    if (head == "tasks" && verb == "POST") return add_tasks(*body);
    if (head == "faults" && verb == "POST") return add_fault(*body);
    if (head == "delays" && verb == "PUT") return set_delays(*body);
    if (head == "pacing" && verb == "PUT") return set_pacing(*body);
    if (head == "keys" && verb == "PUT item") return put_key(item, *body);
    if (head == "keys" && verb == "POST item" && item == "rotate") return rotate_keys(*body);
    if (head == "enrollment-tokens" && verb == "POST") return make_token(*body);
    if (head == "enrollment" && verb == "PUT") return set_enrollment(*body);
    if (head == "runners" && verb == "POST") return adopt_runner(*body);
    if (head == "remote-config" && verb == "PUT") return damage_remote_config(*body);
    return error_reply(
        404, fmt::format("there is no {} {}; README.md lists the requests", request.method, request.path));
  }

  static Reply bad(const core::Error& error) { return error_reply(400, error.message); }

  Reply saved(Reply reply) {
    if (auto done = backend_.save(); !done) return error_reply(500, done.error().message);
    return reply;
  }

  // --- tasks ---

  Reply add_tasks(const json::Value& body) {
    std::vector<std::shared_ptr<const TaskSpec>> specs;
    const auto read = [&](const json::Value& value) -> Result<void> {
      auto spec = parse_task(value);
      if (!spec) return tl::unexpected(spec.error());
      if ((*spec)->count > k_most_copies)
        return core::fail(fmt::format("task.count is at most {}", k_most_copies));
      for (const SignaturePlan& plan : (*spec)->signatures) {
        if (!plan.key.empty() && backend_.state.keys.find(plan.key) == nullptr)
          return core::fail(
              fmt::format("there is no key \"{}\"; make it with PUT /keys/{}", plan.key, plan.key));
      }
      specs.push_back(std::move(*spec));
      return {};
    };
    if (body.IsArray()) {
      for (const json::Value& one : body.GetArray()) {
        if (auto done = read(one); !done) return bad(done.error());
      }
    } else if (auto done = read(body); !done) {
      return bad(done.error());
    }
    std::vector<std::string> ids;
    for (const auto& spec : specs) {
      std::vector<std::string> added = backend_.queue.add(spec);
      std::move(added.begin(), added.end(), std::back_inserter(ids));
    }
    return json_reply(Object().raw("task_ids", quoted_list(ids)).done());
  }

  void get_task(const Request& request, const std::string& id, const Respond& respond) {
    if (backend_.queue.find(id) == nullptr)
      return respond(error_reply(404, fmt::format("there is no task \"{}\"", id)));
    backend_.waiters.wait("task/" + id, timeout_of(request), [this, id, respond](bool last) {
      const TaskRecord* const task = backend_.queue.find(id);
      if (task == nullptr) {
        respond(error_reply(404, "the task was flushed"));
        return true;
      }
      const bool ready =
          task->state == TaskRecord::State::succeeded || task->state == TaskRecord::State::failed;
      if (ready || last) respond(json_reply(task_json(*task)));
      return ready || last;
    });
  }

  Reply forget(const std::string& id) {
    TaskRecord* const task = backend_.queue.find(id);
    if (task == nullptr) return error_reply(404, fmt::format("there is no task \"{}\"", id));
    backend_.queue.forget(*task);
    return json_reply(task_json(*task));
  }

  Reply flush() {
    backend_.queue.clear();
    backend_.events.clear();
    backend_.faults.clear();
    backend_.delays.clear();
    backend_.retry_after_ms.reset();
    backend_.counters = {};
    return json_reply("{}");
  }

  // --- what happened ---

  void get_statistics(const Request& request, const Respond& respond) {
    const int64_t wanted = number_of(request, "published", 0);
    backend_.waiters.wait("published", timeout_of(request), [this, wanted, respond](bool last) {
      const bool ready = backend_.counters.published >= wanted;
      if (ready || last) respond(statistics());
      return ready || last;
    });
  }

  Reply statistics() const {
    const Counters& c = backend_.counters;
    Object object;
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, int64_t>>{
             {"dequeues", c.dequeues},
             {"empty_dequeues", c.empty_dequeues},
             {"delivered", c.delivered},
             {"published", c.published},
             {"rejected_publishes", c.rejected_publishes},
             {"succeeded", c.succeeded},
             {"failed", c.failed},
             {"heartbeats", c.heartbeats},
             {"heartbeats_404", c.heartbeats_404},
             {"health_checks", c.health_checks},
             {"remote_config_polls", c.remote_config_polls},
             {"enrolled", c.enrolled},
             {"unauthorized", c.unauthorized},
             {"faults", c.faults},
             {"queued", static_cast<int64_t>(backend_.queue.queued())},
             {"open_jobs", static_cast<int64_t>(backend_.queue.open_jobs())},
             {"connections", static_cast<int64_t>(backend_.runner_server->connections())},
             {"open_connections", static_cast<int64_t>(backend_.runner_server->open_connections())},
             {"most_concurrent_dequeues", c.most_concurrent_dequeues}}) {
      object.number(name, value);
    }
    return json_reply(object.done());
  }

  void get_events(const Request& request, const Respond& respond) {
    const auto after = static_cast<uint64_t>(std::max<int64_t>(number_of(request, "after", 0), 0));
    const std::string kind(request.parameter("kind").value_or(""));
    backend_.waiters.wait("events", timeout_of(request), [this, after, kind, respond](bool last) {
      const auto events = backend_.events.after(after, kind, k_most_events_per_answer);
      if (events.empty() && !last) return false;
      std::string list = "[";
      for (const Event* event : events) {
        if (list.size() > 1) list += ',';
        list += event_json(*event);
      }
      list += ']';
      const uint64_t next =
          events.size() == k_most_events_per_answer ? events.back()->seq : backend_.events.last();
      respond(json_reply(Object().raw("events", list).number("next", static_cast<int64_t>(next)).done()));
      return true;
    });
  }

  // --- trouble ---

  Reply add_fault(const json::Value& body) {
    Result<Fault> fault = parse_fault(body);
    if (!fault) return bad(fault.error());
    return json_reply(Object().number("fault_id", backend_.faults.add(std::move(*fault))).done());
  }

  Reply list_faults() const {
    std::string list = "[";
    for (const Fault& fault : backend_.faults.all()) {
      if (list.size() > 1) list += ',';
      Object object;
      object.number("fault_id", fault.id).text("route", fault.route).text("what", fault.describe());
      if (fault.times) object.number("times", *fault.times);
      list += object.done();
    }
    return json_reply(Object().raw("faults", list + "]").done());
  }

  Reply remove_fault(const std::string& id) {
    int64_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    if (!backend_.faults.remove(number)) return error_reply(404, fmt::format("there is no fault {}", id));
    return json_reply("{}");
  }

  Reply set_delays(const json::Value& body) {
    if (!body.IsObject()) return error_reply(400, "delays must be an object of route: milliseconds");
    std::map<std::string, Milliseconds, std::less<>> delays;
    for (const auto& member : body.GetObject()) {
      const std::string route(json::text(member.name));
      if (auto known = check_route(route); !known) return bad(known.error());
      if (!member.value.IsInt64() || member.value.GetInt64() < 0)
        return error_reply(400, fmt::format("the delay of {} must be a whole number of milliseconds", route));
      delays[route] = Milliseconds(member.value.GetInt64());
    }
    backend_.delays = std::move(delays);
    return json_reply("{}");
  }

  Reply set_pacing(const json::Value& body) {
    Members members(body, "pacing");
    std::optional<int64_t> wait;
    members.read("retry_after_ms", wait);
    if (auto done = members.finish(); !done) return bad(done.error());
    backend_.retry_after_ms = wait;
    return json_reply("{}");
  }

  // --- keys ---

  Reply list_keys() const {
    std::string list = "[";
    for (const auto& [id, key] : backend_.state.keys.all()) {
      if (list.size() > 1) list += ',';
      list += Object()
                  .text("id", id)
                  .text("type", name_of(key.type))
                  .raw("published", key.published ? "true" : "false")
                  .done();
    }
    return json_reply(
        Object().text("signing", backend_.state.keys.signing_id()).raw("keys", list + "]").done());
  }

  Reply put_key(const std::string& id, const json::Value& body) {
    Members members(body, "key");
    std::optional<std::string> type_name;
    std::optional<std::string> content;
    bool published = true;
    bool signing = false;
    members.read("type", type_name);
    members.read("content", content);
    members.read("published", published);
    members.read("signing", signing);
    if (auto done = members.finish(); !done) return bad(done.error());
    std::optional<KeyType> type;
    if (type_name) {
      const auto parsed = parse_key_type(*type_name);
      if (!parsed) return bad(parsed.error());
      type = *parsed;
    }
    Keyring& keys = backend_.state.keys;
    const Result<SigningKey*> key = keys.put(id, type);
    if (!key) return bad(key.error());
    (*key)->published = published;
    (*key)->file = content ? *content : key_file((*key)->type, (*key)->key, id);
    if (signing) keys.sign_with(id);
    backend_.remote_config.touch();
    return saved(list_keys());
  }

  Reply withdraw_key(const std::string& id) {
    SigningKey* const key = backend_.state.keys.find(id);
    if (key == nullptr) return error_reply(404, fmt::format("there is no key \"{}\"", id));
    key->published = false;
    backend_.remote_config.touch();
    return saved(list_keys());
  }

  Reply rotate_keys(const json::Value& body) {
    Members members(body, "rotation");
    std::string type_name = "ed25519";
    members.read("type", type_name);
    if (auto done = members.finish(); !done) return bad(done.error());
    const auto type = parse_key_type(type_name);
    if (!type) return bad(type.error());
    Keyring& keys = backend_.state.keys;
    const std::string id = keys.free_id();
    if (const auto made = keys.put(id, *type); !made) return bad(made.error());
    if (SigningKey* const old = keys.find(keys.signing_id())) old->published = false;
    keys.sign_with(id);
    backend_.remote_config.touch();
    return saved(json_reply(Object().text("id", id).done()));
  }

  // --- enrollment ---

  Reply make_token(const json::Value& body) {
    Members members(body, "token");
    Enrollment::TokenSpec spec;
    members.read("modes", spec.modes);
    members.read("actions", spec.actions);
    members.read("expires_in_seconds", spec.expires_in_seconds);
    if (auto done = members.finish(); !done) return bad(done.error());
    return json_reply(Object().text("token", backend_.enrollment.new_token(std::move(spec))).done());
  }

  Reply set_enrollment(const json::Value& body) {
    Members members(body, "enrollment");
    std::optional<int64_t> most_runners;
    bool may_enroll = true;
    members.read("most_runners", most_runners, 0);
    members.read("may_enroll", may_enroll);
    if (auto done = members.finish(); !done) return bad(done.error());
    backend_.enrollment.most_runners = most_runners;
    backend_.enrollment.may_enroll = may_enroll;
    return json_reply("{}");
  }

  Reply adopt_runner(const json::Value& body) {
    Members members(body, "runner");
    std::string id;
    members.read("runner_id", id);
    const json::Value* const jwk = members.any("jwk");
    if (auto done = members.finish(); !done) return bad(done.error());
    if (id.empty() || jwk == nullptr)
      return error_reply(400, "runner needs runner_id (the last part of its URN) and jwk (its public key)");
    if (id == backend_.state.runner_id) return error_reply(400, "runner.runner_id is the backend's own");
    const auto runner = backend_.enrollment.adopt(std::move(id), *jwk);
    if (!runner) return bad(runner.error());
    backend_.tokens.add((*runner)->id, (*runner)->public_key);
    return saved(json_reply(Object().text("urn", backend_.state.urn_of((*runner)->id)).done()));
  }

  Reply list_runners() const {
    std::string list = "[";
    for (const EnrolledRunner& runner : backend_.enrollment.runners()) {
      if (list.size() > 1) list += ',';
      list += Object()
                  .text("runner_id", runner.id)
                  .text("urn", backend_.state.urn_of(runner.id))
                  .text("name", runner.name)
                  .raw("modes", quoted_list(runner.modes))
                  .done();
    }
    return json_reply(Object().raw("runners", list + "]").done());
  }

  // --- Remote Config ---

  Reply damage_remote_config(const json::Value& body) {
    Members members(body, "remote-config");
    RemoteConfigDamage damage;
    members.read("damage", damage.kind);
    members.read("role", damage.role);
    members.read("repository", damage.repository);
    if (auto done = members.finish(); !done) return bad(done.error());
    if (!damage.kind.empty()) {
      if (auto known = check_damage(damage); !known) return bad(known.error());
    }
    backend_.remote_config.set_damage(std::move(damage));
    return saved(remote_config_versions());
  }

  Reply remote_config_versions() const {
    return json_reply(
        Object()
            .number("version", static_cast<int64_t>(backend_.remote_config.version()))
            .number("root_version", static_cast<int64_t>(backend_.remote_config.signer().roots().size()))
            .text("damage", backend_.remote_config.damage().kind)
            .done());
  }

  Backend& backend_;
  std::string expected_;
};

}  // namespace

Reply error_reply(int status, std::string_view message) {
  Reply reply = json_reply(Object().text("error", message).done());
  reply.status = status;
  return reply;
}

Handler control_face(Backend& backend, std::string token) {
  const auto control = std::make_shared<Control>(backend, std::move(token));
  return [control](const std::shared_ptr<const Request>& request, const Respond& respond) {
    control->handle(*request, respond);
  };
}

}  // namespace par::backend
