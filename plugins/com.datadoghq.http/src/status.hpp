#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace http_plugin {

/// An inclusive range of statuses.
struct StatusRange {
  int first = 0;
  int last = 0;
  bool holds(int status) const { return status >= first && status <= last; }
};

/// Reads one entry of errorOnStatus: "404" or "500-599". Throws par::Error if it is anything else.
StatusRange parse_status_range(std::string_view text);

/// Throws par::Error if an entry of errorOnStatus is malformed.
void check_entries(const std::vector<std::string_view>& error_on_status);

/// What ends the action before the body of the answer is read: a status among `error_on_status`, or, if that
/// is empty, a redirect that was not to be followed. Throws par::Error, also for a malformed entry.
void check_status(int status, const std::vector<std::string_view>& error_on_status, bool follow_redirect);

/// The message for a status of 400 and above: status, reason, and the start of the body.
std::string status_error(int status, std::string_view reason, std::string_view body);

}  // namespace http_plugin
