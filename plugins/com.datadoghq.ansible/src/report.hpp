#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ansible_plugin {

/// How often each thing happened on one host.
struct HostStats {
  int64_t ok = 0;
  int64_t changed = 0;
  int64_t failed = 0;
  int64_t unreachable = 0;
  int64_t skipped = 0;
};

/// By name of the host.
using Hosts = std::map<std::string, HostStats>;

/// What is known of a run. Texts that are empty are left out of the result.
struct Report {
  std::string_view mode;
  std::string job_id;
  std::string status;
  std::string url;
  std::string started_at;   ///< RFC 3339
  std::string finished_at;  ///< RFC 3339
  std::optional<int64_t> duration_ms;
  std::optional<int> exit_code;
  std::optional<Hosts> hosts;
  std::string ignored_fields_json;    ///< a JSON object
  std::optional<std::string> output;  ///< any bytes
  bool output_truncated = false;
};

/// The result of a run that has not failed, as JSON.
std::string to_json(Report report);

/// "failed on web2; unreachable: db1" for error texts; empty if neither happened.
std::string failed_hosts(const Hosts& hosts);

/// The last `limit` bytes of a text, from the beginning of a character on.
std::string_view tail(std::string_view text, size_t limit);

/// Now, in UTC, as RFC 3339 with seconds.
std::string now_rfc3339();

}  // namespace ansible_plugin
