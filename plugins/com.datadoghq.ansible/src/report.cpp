#include "report.hpp"

#include <ctime>

#include <par/json.hpp>

#include "plugins/common/encoding.hpp"

namespace ansible_plugin {

std::string to_json(Report report) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  const auto text = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    writer.Key(name);
    writer.String(plugin_common::to_valid_utf8(std::string(value)));
  };
  writer.StartObject();
  text("mode", report.mode);
  text("jobId", report.job_id);
  text("status", report.status);
  writer.Key("failed");
  writer.Bool(false);
  text("url", report.url);
  text("startedAt", report.started_at);
  text("finishedAt", report.finished_at);
  if (report.duration_ms) {
    writer.Key("durationMillis");
    writer.Int64(*report.duration_ms);
  }
  if (report.exit_code) {
    writer.Key("exitCode");
    writer.Int(*report.exit_code);
  }
  if (report.hosts) {
    writer.Key("hosts");
    writer.StartObject();
    for (const auto& [name, stats] : *report.hosts) {
      writer.Key(plugin_common::to_valid_utf8(name));
      writer.StartObject();
      const std::pair<std::string_view, int64_t> counts[] = {{"ok", stats.ok},
                                                             {"changed", stats.changed},
                                                             {"failed", stats.failed},
                                                             {"unreachable", stats.unreachable},
                                                             {"skipped", stats.skipped}};
      for (const auto& [key, count] : counts) {
        writer.Key(key);
        writer.Int64(count);
      }
      writer.EndObject();
    }
    writer.EndObject();
  }
  if (!report.ignored_fields_json.empty()) {
    writer.Key("ignoredFields");
    writer.RawValue(report.ignored_fields_json.data(), report.ignored_fields_json.size(),
                    rapidjson::kObjectType);
  }
  if (report.output) {
    writer.Key("stdout");
    writer.String(plugin_common::to_valid_utf8(std::move(*report.output)));
    writer.Key("stdoutTruncated");
    writer.Bool(report.output_truncated);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string failed_hosts(const Hosts& hosts) {
  std::string failed;
  std::string unreachable;
  for (const auto& [name, stats] : hosts) {
    if (stats.failed > 0) failed += (failed.empty() ? "failed on " : ", ") + name;
    if (stats.unreachable > 0) unreachable += (unreachable.empty() ? "unreachable: " : ", ") + name;
  }
  return failed + (failed.empty() || unreachable.empty() ? "" : "; ") + unreachable;
}

std::string_view tail(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  text.remove_prefix(text.size() - limit);
  while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0) == 0x80) text.remove_prefix(1);
  return text;
}

std::string now_rfc3339() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace ansible_plugin
