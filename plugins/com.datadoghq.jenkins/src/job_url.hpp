#pragma once

#include <map>
#include <string>
#include <string_view>

namespace jenkins_plugin {

/// The controller's URL without a slash at its end. Throws par::Error if it is no absolute http or https URL,
/// or has a query or fragment, which a prefix cannot have.
std::string controller_url(std::string_view domain);

/// `<controller>/job/<jobName>`, the job's name percent-encoded but for the slashes that lead through
/// folders. Throws par::Error if the name is empty or a part of it is empty, "." or "..": the request would
/// reach another resource than the job.
std::string job_url(std::string_view controller, std::string_view job_name);

/// Whether a `Location` leads to the controller's front page, a job or the queue, as Jenkins sends on after
/// what is done. Its host must be the controller's; scheme and port may differ, as they do behind proxies.
/// May be a path.
bool leads_to_jobs(std::string_view controller, std::string_view location);
/// Scheme, host and port of a `Location`, for error texts; those of the controller if it is a path.
std::string origin_of(std::string_view controller, std::string_view location);

/// The query of a build with parameters, form-encoded and sorted by name. Throws par::Error if a parameter is
/// called "delay", which Jenkins takes for the delay of the build itself.
std::string build_query(const std::map<std::string, std::string>& parameters);

}  // namespace jenkins_plugin
