#include "plugin-api/devkit/local-backend/events.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"

namespace par::backend {
namespace {

constexpr size_t k_most_events = 20'000;
constexpr size_t k_largest_kept_body = 64 * 1024;

}  // namespace

void EventLog::add(Event event) {
  event.seq = ++last_;
  event.body_bytes = event.request->body.size();
  if (event.body.empty() && event.body_bytes <= k_largest_kept_body && core::is_utf8(event.request->body))
    event.body = event.request->body;
  // The request itself may hold megabytes that nobody will ask for.
  if (event.body_bytes > 0) {
    auto light = std::make_shared<Request>();
    light->method = event.request->method;
    light->path = event.request->path;
    light->query = event.request->query;
    light->headers = event.request->headers;
    light->arrived = event.request->arrived;
    light->connection = event.request->connection;
    event.request = std::move(light);
  }
  events_.push_back(std::move(event));
  if (events_.size() > k_most_events) events_.pop_front();
}

std::vector<const Event*> EventLog::after(uint64_t seq, std::string_view kind, size_t most) const {
  std::vector<const Event*> found;
  auto event = std::upper_bound(events_.begin(), events_.end(), seq,
                                [](uint64_t wanted, const Event& other) { return wanted < other.seq; });
  for (; event != events_.end() && found.size() < most; ++event) {
    if (kind.empty() || event->kind == kind) found.push_back(&*event);
  }
  return found;
}

std::string event_json(const Event& event) {
  rapidjson::StringBuffer buffer;
  json::Writer writer(buffer);
  const auto text = [&](const char* name, std::string_view value) {
    writer.Key(name);
    writer.String(value);
  };
  const auto number = [&](const char* name, int64_t value) {
    writer.Key(name);
    writer.Int64(value);
  };
  const Request& request = *event.request;
  writer.StartObject();
  number("seq", static_cast<int64_t>(event.seq));
  text("time", core::rfc3339_ms(request.arrived));
  number("time_ms", std::chrono::floor<Milliseconds>(request.arrived.time_since_epoch()).count());
  text("kind", event.kind);
  text("method", request.method);
  text("target", request.query.empty() ? request.path : request.path + "?" + request.query);
  number("status", event.status);
  writer.Key("headers");
  writer.StartObject();
  for (const auto& [name, value] : request.headers) {
    writer.Key(name);
    writer.String(core::is_utf8(value) ? value : "(not UTF-8)");
  }
  writer.EndObject();
  text("body", event.body);
  number("body_bytes", static_cast<int64_t>(event.body_bytes));
  if (!event.task_id.empty()) text("task_id", event.task_id);
  if (!event.runner_id.empty()) text("runner_id", event.runner_id);
  if (!event.job_id.empty()) text("job_id", event.job_id);
  number("connection", static_cast<int64_t>(request.connection));
  if (!event.note.empty()) text("note", event.note);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

void Waiters::wait(const std::string& topic, Milliseconds longest, std::function<bool(bool)> attempt) {
  if (attempt(longest.count() <= 0) || longest.count() <= 0) return;
  const auto waiter = std::make_shared<Waiter>(Waiter{std::move(attempt)});
  waiting_[topic].push_back(waiter);
  loop_.after(longest, [this, topic, waiter] {
    if (waiter->done) return;
    waiter->done = true;
    waiter->attempt(true);
    const auto found = waiting_.find(topic);
    if (found == waiting_.end()) return;
    std::erase(found->second, waiter);
    if (found->second.empty()) waiting_.erase(found);
  });
}

void Waiters::notify(const std::string& topic) {
  const auto found = waiting_.find(topic);
  if (found == waiting_.end()) return;
  for (const auto& waiter : found->second) waiter->done = waiter->attempt(false);
  std::erase_if(found->second, [](const auto& waiter) { return waiter->done; });
  if (found->second.empty()) waiting_.erase(found);
}

}  // namespace par::backend
