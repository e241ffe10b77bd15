#include "caller_texts.hpp"

#include <algorithm>
#include <string_view>

#include <par/sdk/error.hpp>

namespace ansible_plugin {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <typename Predicate>
bool all_of(std::string_view text, Predicate&& predicate) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

bool is_ipv6(std::string_view host) {
  return std::count(host.begin(), host.end(), ':') >= 2 && all_of(host, [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
         });
}

bool is_host(std::string_view host) {
  if (is_ipv6(host)) return true;
  const size_t colon = host.find(':');
  if (colon != std::string_view::npos && !all_of(host.substr(colon + 1), is_digit)) return false;
  const std::string_view name = host.substr(0, colon);
  return all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; }) &&
         (is_letter(name.front()) || is_digit(name.front()));
}

// Those that do not begin with ansible_ or inventory_.
constexpr std::string_view k_reserved[] = {"delegated_vars", "environment", "group_names", "groups",
                                           "hostvars",       "omit",        "play_hosts",  "playbook_dir",
                                           "role_name",      "role_names",  "role_path",   "vars"};

}  // namespace

void require_host_list(const std::string& inventory) {
  std::string_view rest = inventory;
  while (!rest.empty()) {
    const std::string_view host = rest.substr(0, rest.find(','));
    if (!is_host(host)) {
      throw par::Error(
          "inventory: \"" + std::string(host) +
          "\" is no host; in a list, which ends with a comma, expected names or addresses, each with an "
          "optional :port");
    }
    rest.remove_prefix(host.size());
    if (!rest.empty()) rest.remove_prefix(1);
  }
}

void require_host_pattern(const std::string& limit) {
  if (limit.find('@') != std::string::npos)
    throw par::Error("limit \"" + limit +
                     "\": '@' names a file with patterns, which a local run does not read");
}

void require_data_names(const par::json::Value& variables) {
  for (const auto& [member, value] : variables.GetObject()) {
    const std::string_view name = par::json::text(member);
    const bool plain =
        all_of(name, [](char c) { return is_letter(c) || is_digit(c); }) && is_letter(name.front());
    const bool reserved =
        name.starts_with("ansible_") || name.starts_with("inventory_") ||
        std::find(std::begin(k_reserved), std::end(k_reserved), name) != std::end(k_reserved);
    if (plain && !reserved) continue;
    throw par::Error(
        "extraVars." + std::string(name) +
        (plain ? ": a local run takes variables that say how Ansible connects and what it runs from the "
                 "playbook, the "
                 "inventory and the connection only"
               : ": the name of a variable has letters, digits and '_', and begins with none of the digits"));
  }
}

}  // namespace ansible_plugin
