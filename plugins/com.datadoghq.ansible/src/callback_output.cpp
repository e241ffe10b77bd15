#include "callback_output.hpp"

#include <charconv>
#include <optional>

#include <par/json.hpp>

namespace ansible_plugin {
namespace {

int64_t integer(const par::json::Value& object, std::string_view name) {
  const auto* const value = par::json::find(object, name);
  return value != nullptr && value->IsInt64() ? value->GetInt64() : 0;
}

std::string_view text_of(const par::json::Value& object, std::string_view name) {
  const auto* const value = par::json::find(object, name);
  return value != nullptr && value->IsString() ? par::json::text(*value) : std::string_view();
}

bool is_true(const par::json::Value& object, std::string_view name) {
  const auto* const value = par::json::find(object, name);
  return value != nullptr && value->IsTrue();
}

Hosts hosts_of(const par::json::Value& stats) {
  Hosts hosts;
  for (const auto& [name, host] : stats.GetObject()) {
    hosts.emplace(par::json::text(name),
                  HostStats{integer(host, "ok"), integer(host, "changed"), integer(host, "failures"),
                            integer(host, "unreachable"), integer(host, "skipped")});
  }
  return hosts;
}

const par::json::Value* object_of(const par::json::Value& parent, std::string_view name) {
  const auto* const value = par::json::find(parent, name);
  return value != nullptr && value->IsObject() ? value : nullptr;
}

// One line for what a task did on a host, as the default callback says it.
void append_host(std::string& out, std::string_view host, const par::json::Value& result) {
  const std::string_view outcome = is_true(result, "unreachable") ? "unreachable"
                                   : is_true(result, "failed")    ? "failed"
                                   : is_true(result, "skipped")   ? "skipping"
                                   : is_true(result, "changed")   ? "changed"
                                                                  : "ok";
  out.append(outcome).append(": [").append(host).append("]");
  for (const std::string_view detail : {"msg", "stdout", "stderr", "censored"}) {
    const std::string_view text = text_of(result, detail);
    if (!text.empty()) out.append(" => ").append(detail).append(": ").append(text);
  }
  out += '\n';
}

std::string told(const par::json::Value& run) {
  std::string out;
  const auto* const plays = par::json::find(run, "plays");
  if (plays == nullptr || !plays->IsArray()) return out;
  for (const auto& play : plays->GetArray()) {
    if (const auto* const about = object_of(play, "play"))
      out.append("PLAY [").append(text_of(*about, "name")).append("]\n");
    const auto* const tasks = par::json::find(play, "tasks");
    if (tasks == nullptr || !tasks->IsArray()) continue;
    for (const auto& task : tasks->GetArray()) {
      if (const auto* const about = object_of(task, "task"))
        out.append("TASK [").append(text_of(*about, "name")).append("]\n");
      if (const auto* const hosts = object_of(task, "hosts")) {
        for (const auto& [host, result] : hosts->GetObject()) append_host(out, par::json::text(host), result);
      }
    }
  }
  return out;
}

std::optional<CallbackOutput> read_json(std::string_view text) {
  const size_t begin = text.find('{');
  const size_t end = text.rfind('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
  par::json::Document run;
  std::string error;
  if (!par::json::parse(text.substr(begin, end + 1 - begin), run, error)) return std::nullopt;
  const auto* const stats = object_of(run, "stats");
  if (stats == nullptr) return std::nullopt;
  return CallbackOutput{hosts_of(*stats), told(run)};
}

// Of JSON whose beginning is lost the statistics are left, the last member of the outermost object.
std::optional<Hosts> read_cut_json(std::string_view text) {
  constexpr std::string_view k_stats = "\n    \"stats\": ";
  const size_t at = text.rfind(k_stats);
  const size_t end = text.rfind('}');
  if (at == std::string_view::npos || end == std::string_view::npos || end < at) return std::nullopt;
  par::json::Document stats;
  std::string error;
  const size_t begin = at + k_stats.size();
  if (!par::json::parse(text.substr(begin, end - begin), stats, error) || !stats.IsObject())
    return std::nullopt;
  return hosts_of(stats);
}

// "web1 : ok=3 changed=1 unreachable=0 failed=0 skipped=1 rescued=0 ignored=0" after the line "PLAY RECAP
// ***".
Hosts read_recap(std::string_view text) {
  Hosts hosts;
  const size_t recap = text.rfind("PLAY RECAP ");
  if (recap == std::string_view::npos) return hosts;
  std::string_view rest = text.substr(recap);
  rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size());
    const size_t colon =
        line.find(" : ok=") != std::string_view::npos ? line.find(" : ok=") : line.find(": ok=");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, line.find_last_not_of(' ', colon) + 1);
    const auto count = [&](std::string_view key) {
      int64_t value = 0;
      const size_t at = line.find(key, colon);
      if (at != std::string_view::npos)
        std::from_chars(line.data() + at + key.size(), line.data() + line.size(), value);
      return value;
    };
    hosts.emplace(name, HostStats{count(" ok="), count(" changed="), count(" failed="),
                                  count(" unreachable="), count(" skipped=")});
  }
  return hosts;
}

}  // namespace

CallbackOutput read_callback_output(std::string_view text) {
  if (auto whole = read_json(text)) return std::move(*whole);
  if (auto hosts = read_cut_json(text)) return {std::move(*hosts), std::string(text)};
  return {read_recap(text), std::string(text)};
}

}  // namespace ansible_plugin
