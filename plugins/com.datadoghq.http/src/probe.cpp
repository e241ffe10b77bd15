#include "probe.hpp"

#include <string_view>

#include "template.hpp"
#include "text.hpp"

namespace http_plugin {

Probe Probe::of(const par::Connection& connection) {
  if (connection.base_url().empty()) {
    throw par::Error("the connection has no base URL, so there is nothing to test; give it one");
  }
  Probe probe;
  probe.verb = std::string(trim(render(connection.testing_verb(), connection)));
  const std::string path = render(connection.testing_path(), connection);
  if (probe.verb.empty() && path.empty()) {
    throw par::Error("the connection has no test path; give it a path, and a verb unless it is GET");
  }
  if (probe.verb.empty()) probe.verb = "GET";
  const std::string base = render(connection.base_url(), connection);
  std::string_view kept = std::string_view(base).substr(0, base.find_first_of("?#"));
  while (!kept.empty() && kept.back() == '/') kept.remove_suffix(1);
  probe.url = kept;
  if (!path.empty() && path.front() != '/' && path.front() != '?') probe.url += '/';
  probe.url += path;
  return probe;
}

}  // namespace http_plugin
