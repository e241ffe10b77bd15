#include "plugin-api/devkit/local-backend/faults.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/json_members.hpp"

namespace par::backend {

using core::fail;
using core::Members;

const std::vector<std::string>& route_names() {
  static const std::vector<std::string> names = {"dequeue",       "publish", "heartbeat", "health_check",
                                                 "remote_config", "org",     "status",    "enrollment",
                                                 "other",         "*"};
  return names;
}

Result<void> check_route(const std::string& name) {
  const auto& names = route_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return {};
  return fail(fmt::format("route \"{}\" is unknown{}; there are {}", name, core::did_you_mean(name, names),
                          fmt::join(names, ", ")));
}

Result<Fault> parse_fault(const json::Value& value) {
  Members members(value, "fault");
  Fault fault;
  members.read("route", fault.route);
  members.read("times", fault.times, 1);
  members.read("skip", fault.skip, 0);
  members.read("status", fault.status, 200);
  members.read("body", fault.body);
  members.read("oversize", fault.oversize, 0);
  members.read("redirect", fault.redirect);
  members.read("reset", fault.reset);
  members.read("close", fault.close);
  members.read("delay_ms", fault.delay_ms, 0);
  members.read("truncate", fault.truncate, 0);
  members.read("drip_ms", fault.drip_ms, 0);
  members.read("process", fault.process);
  std::optional<int64_t> retry_after;
  members.read("retry_after_ms", retry_after);
  if (retry_after) fault.headers.emplace_back("X-Retry-After-Ms", fmt::format("{}", *retry_after));
  if (const json::Value* headers = members.any("headers")) {
    if (!headers->IsObject()) return fail("fault.headers must be an object of texts");
    for (const auto& header : headers->GetObject()) {
      if (!header.value.IsString()) return fail("fault.headers must be an object of texts");
      fault.headers.emplace_back(json::text(header.name), json::text(header.value));
    }
  }
  if (auto done = members.finish(); !done) return tl::unexpected(done.error());
  if (fault.status && *fault.status > 599) return fail("fault.status must be a status of HTTP, 200 to 599");
  if (auto done = check_route(fault.route); !done) return tl::unexpected(done.error());
  if (!fault.replaces() && fault.delay_ms == 0 && !fault.truncate && fault.drip_ms == 0 &&
      fault.headers.empty())
    return fail("the fault does nothing; give it a status, body, reset, delay_ms, truncate, ...");
  return fault;
}

std::string Fault::describe() const {
  std::string text = fmt::format("fault {}:", id);
  if (status) text += fmt::format(" status {}", *status);
  if (body) text += " other body";
  if (oversize) text += fmt::format(" body of {} bytes", *oversize);
  if (redirect) text += " redirect";
  if (reset) text += " reset";
  if (close) text += " close";
  if (delay_ms > 0) text += fmt::format(" {} ms late", delay_ms);
  if (truncate) text += fmt::format(" cut after {} bytes", *truncate);
  if (drip_ms > 0) text += " dripped";
  if (!headers.empty()) text += " headers";
  return text;
}

void apply(const Fault& fault, Reply& reply) {
  if (fault.replaces()) {
    reply = Reply{};
    reply.status = static_cast<int>(fault.status.value_or(fault.redirect ? 307 : 200));
    if (fault.body) {
      reply.body = *fault.body;
    } else if (fault.oversize) {
      reply.body.assign(static_cast<size_t>(*fault.oversize), ' ');
    } else if (fault.status && *fault.status >= 300) {
      reply.body = fmt::format(R"({{"errors":[{{"status":"{}","title":"made by par-local-backend"}}]}})",
                               *fault.status);
    }
    if (fault.redirect) reply.headers.emplace_back("Location", *fault.redirect);
    if (fault.close) reply.end = Reply::End::close;
    if (fault.reset) reply.end = Reply::End::reset;
  }
  for (const auto& header : fault.headers) reply.headers.push_back(header);
  if (fault.truncate) reply.truncate = static_cast<size_t>(*fault.truncate);
  reply.drip = Milliseconds(fault.drip_ms);
}

int64_t Faults::add(Fault fault) {
  fault.id = ++last_id_;
  faults_.push_back(std::move(fault));
  return last_id_;
}

std::optional<Fault> Faults::strike(std::string_view route) {
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (fault->route != "*" && fault->route != route) continue;
    if (fault->skip > 0) {
      --fault->skip;
      continue;
    }
    Fault struck = *fault;
    if (fault->times && --*fault->times == 0) faults_.erase(fault);
    return struck;
  }
  return std::nullopt;
}

bool Faults::remove(int64_t id) {
  return std::erase_if(faults_, [id](const Fault& fault) { return fault.id == id; }) > 0;
}

}  // namespace par::backend
