#include "plugin-api/devkit/par-plugin/status.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace par::kit {
namespace {

constexpr std::pair<par_status, std::string_view> k_names[] = {
    {PAR_OK, "PAR_OK"},
    {PAR_ERROR, "PAR_ERROR"},
    {PAR_INTERNAL, "PAR_INTERNAL"},
    {PAR_CANCELLED, "PAR_CANCELLED"},
    {PAR_DEADLINE, "PAR_DEADLINE"},
    {PAR_LIMIT, "PAR_LIMIT"},
    {PAR_BAD_RESULT, "PAR_BAD_RESULT"},
    {PAR_INVALID, "PAR_INVALID"},
    {PAR_UNSUPPORTED, "PAR_UNSUPPORTED"},
    {PAR_POLICY, "PAR_POLICY"},
    {PAR_RESOLVE, "PAR_RESOLVE"},
    {PAR_CONNECT, "PAR_CONNECT"},
    {PAR_TLS, "PAR_TLS"},
    {PAR_PROTOCOL, "PAR_PROTOCOL"},
    {PAR_SPAWN, "PAR_SPAWN"},
};

}  // namespace

std::string status_name(par_status status) {
  const auto at = std::find_if(std::begin(k_names), std::end(k_names),
                               [&](const auto& entry) { return entry.first == status; });
  return at == std::end(k_names) ? std::to_string(status) : std::string(at->second);
}

std::optional<par_status> status_named(std::string_view name) {
  const auto at = std::find_if(std::begin(k_names), std::end(k_names),
                               [&](const auto& entry) { return entry.second == name; });
  if (at == std::end(k_names)) return std::nullopt;
  return at->first;
}

std::vector<std::string> status_names() {
  std::vector<std::string> all;
  for (const auto& [status, name] : k_names) all.emplace_back(name);
  return all;
}

}  // namespace par::kit
