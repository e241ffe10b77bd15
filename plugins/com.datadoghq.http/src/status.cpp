#include "status.hpp"

#include <charconv>

#include <par/sdk/error.hpp>

#include "text.hpp"

namespace http_plugin {
namespace {

int status_of(std::string_view digits) {
  int value = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && value >= 0 ? value : -1;
}

std::string joined(const std::vector<std::string_view>& entries) {
  std::string text;
  for (const std::string_view entry : entries) text.append(text.empty() ? "" : ", ").append(entry);
  return text;
}

}  // namespace

StatusRange parse_status_range(std::string_view text) {
  const size_t dash = text.find('-');
  StatusRange range;
  range.first = status_of(text.substr(0, dash));
  range.last = dash == std::string_view::npos ? range.first : status_of(text.substr(dash + 1));
  if (range.first < 0 || range.last < range.first) {
    throw par::Error("errorOnStatus: \"" + std::string(text) +
                     "\" is neither a status such as 404 nor a range such as 500-599");
  }
  return range;
}

void check_entries(const std::vector<std::string_view>& error_on_status) {
  for (const std::string_view entry : error_on_status) parse_status_range(entry);
}

void check_status(int status, const std::vector<std::string_view>& error_on_status, bool follow_redirect) {
  for (const std::string_view entry : error_on_status) {
    if (parse_status_range(entry).holds(status)) {
      throw par::Error("HTTP status " + std::to_string(status) + " is among errorOnStatus (" +
                       joined(error_on_status) + ")");
    }
  }
  if (!follow_redirect && error_on_status.empty() && status >= 300 && status <= 399) {
    throw par::Error("the server answered with a redirect, HTTP status " + std::to_string(status) +
                     ", and followRedirect is false; allow redirects, or list in errorOnStatus what "
                     "counts as an error");
  }
}

std::string status_error(int status, std::string_view reason, std::string_view body) {
  constexpr size_t k_shown = 750;
  std::string text = "HTTP status " + std::to_string(status);
  if (!reason.empty()) text.append(" ").append(to_valid_utf8(std::string(reason)));
  if (body.empty()) return text;
  const size_t shown = utf8_prefix(body, k_shown);
  text.append(": ").append(to_valid_utf8(std::string(body.substr(0, shown))));
  if (shown < body.size()) text += "... (truncated, " + std::to_string(body.size()) + " bytes in all)";
  return text;
}

}  // namespace http_plugin
