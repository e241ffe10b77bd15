#include "job_url.hpp"

#include <par/sdk/error.hpp>

#include "plugins/common/encoding.hpp"

namespace jenkins_plugin {
namespace {

constexpr std::string_view k_delay = "delay";

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// "https://ci:8443" of "https://ci:8443/job/x"; empty if the text is a path.
std::string_view origin(std::string_view url) {
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos || url.find_first_of("/?#") < scheme_end) return {};
  return url.substr(0, url.find_first_of("/?#", scheme_end + 3));
}

std::string_view host(std::string_view origin) {
  std::string_view authority = origin.substr(origin.find("://") + 3);
  authority.remove_prefix(authority.find('@') == std::string_view::npos ? 0 : authority.find('@') + 1);
  return authority.substr(0, authority.starts_with('[') ? authority.find(']') : authority.find(':'));
}

}  // namespace

bool leads_to_jobs(std::string_view controller, std::string_view location) {
  const std::string_view there = origin(location);
  const std::string_view here = origin(controller);
  if (!there.empty() && host(there) != host(here)) return false;
  std::string_view path = location.substr(there.size());
  const std::string_view base = controller.substr(here.size());
  if (!path.starts_with(base)) return false;
  path.remove_prefix(base.size());
  return path.empty() || path == "/" || path.starts_with("/job/") || path.starts_with("/queue/");
}

std::string origin_of(std::string_view controller, std::string_view location) {
  const std::string_view there = origin(location);
  const std::string_view shown = there.empty() ? origin(controller) : there;
  // Without a user and password, should there be some.
  const size_t user_end = shown.find('@');
  if (user_end == std::string_view::npos) return std::string(shown);
  return std::string(shown.substr(0, shown.find("://") + 3)) + std::string(shown.substr(user_end + 1));
}

std::string controller_url(std::string_view domain) {
  const bool web = domain.starts_with("https://") || domain.starts_with("http://");
  const std::string_view rest = web ? domain.substr(domain.find("//") + 2) : std::string_view();
  if (rest.empty() || rest.front() == '/' || rest.find_first_of("?# \t\r\n") != std::string_view::npos) {
    throw par::Error("the token \"domain\" of the connection is " + quoted(domain) +
                     ", expected the URL of the Jenkins controller, such as https://ci.example.net");
  }
  while (domain.back() == '/') domain.remove_suffix(1);
  return std::string(domain);
}

std::string job_url(std::string_view controller, std::string_view job_name) {
  std::string url(controller);
  url += "/job/";
  std::string_view rest = job_name;
  for (;;) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part.empty() || part == "." || part == "..") {
      throw par::Error("jobName is " + quoted(job_name) + ", which has " +
                       (part.empty() ? "an empty part" : "the part " + quoted(part)) +
                       "; expected the name of a job, or folder/job/name for a job in a folder");
    }
    plugin_common::append_percent_encoded(url, part, "$&+=:@");
    if (part.size() == rest.size()) return url;
    url += '/';
    rest.remove_prefix(part.size() + 1);
  }
}

std::string build_query(const std::map<std::string, std::string>& parameters) {
  if (parameters.contains(std::string(k_delay))) {
    throw par::Error(
        "buildWithParameters.parameters.delay: Jenkins takes a parameter of that name for the delay of the "
        "build; "
        "rename the parameter of the job");
  }
  std::map<std::string, std::string> all = parameters;
  all.emplace(k_delay, "0sec");
  std::string query;
  for (const auto& [name, value] : all) {
    if (!query.empty()) query += '&';
    plugin_common::append_form_encoded(query, name);
    query += '=';
    plugin_common::append_form_encoded(query, value);
  }
  return query;
}

}  // namespace jenkins_plugin
