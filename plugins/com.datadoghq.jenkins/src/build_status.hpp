#pragma once

#include <string>
#include <string_view>

namespace jenkins_plugin {

/// What getJobStatus reports of the JSON with which Jenkins describes a build. Fields that are missing, null,
/// of another type, empty, zero or false are left out. Throws par::Error if `answer` is not a JSON object.
std::string build_status(std::string_view answer);

}  // namespace jenkins_plugin
