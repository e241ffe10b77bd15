#include "errors.hpp"

#include <algorithm>
#include <span>

#include <par/json.hpp>

#include "members.hpp"
#include "plugins/common/encoding.hpp"

namespace kubernetes {
namespace {

constexpr uint64_t k_most_read = 256u << 10;
constexpr size_t k_most_shown = 200;
// What the server says of every JSON patch that it cannot apply.
constexpr std::string_view k_bare_patch_message =
    "the server rejected our request due to an error in our request";

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string status_message(std::string_view body) {
  par::json::Document document;
  std::string error;
  if (!par::json::parse(body, document, error) || text_of(document, "kind") != "Status") return {};
  return std::string(text_of(document, "message"));
}

std::string place(const Attempt& attempt) {
  if (attempt.kind.scope == Scope::cluster) return "at the cluster scope";
  if (attempt.name_space.empty()) return "in all namespaces";
  return "in the namespace " + quoted(attempt.name_space);
}

// As one rule of a Role.
std::string rule(const Kind& kind, std::span<const std::string_view> verbs) {
  std::string list;
  for (const std::string_view verb : verbs) list += (list.empty() ? "" : ",") + quoted(verb);
  return R"({"apiGroups":[")" + std::string(kind.group) + R"("],"resources":[")" + kind.resource() +
         R"("],"verbs":[)" + list + "]}";
}

// What an operator does so that the request is allowed.
std::string permission_hint(const Attempt& attempt, const Cluster& cluster, std::string_view message) {
  if (message.find("\"system:anonymous\"") != std::string_view::npos) {
    return "The API server found no credentials that it knows in the request: the " + cluster.origin +
           " gives none, or basic authentication, which Kubernetes no longer has";
  }
  const Kind& kind = attempt.kind;
  const bool role_suffices = kind.scope == Scope::namespaced && !attempt.name_space.empty();
  std::string text = "The runner lacks the verb " + quoted(attempt.rbac_verb) + " on " + kind.resource() +
                     " (API group " + quoted(kind.group) + ") " + place(attempt) + ": give its account a " +
                     (role_suffices ? "Role there" : "ClusterRole") + " with the rule " +
                     rule(kind, attempt.verb.rbac_verbs);
  return text + ", or in the official Helm chart set runner.kubernetesActions." + kind.chart_key() + ": [" +
         quoted(attempt.verb.name) + "]" + (role_suffices ? "" : " with runner.roleType: ClusterRole");
}

// Only an authoriser words it so: admission (quotas, namespaces that end) refuses with 403, too.
bool is_missing_permission(std::string_view message) {
  return message.find(" cannot ") != std::string_view::npos &&
         message.find(" resource ") != std::string_view::npos;
}

std::string describe(const Attempt& attempt) {
  std::string text = std::string(attempt.rbac_verb) + " " + attempt.kind.resource();
  if (!attempt.name.empty()) text += " " + quoted(attempt.name);
  return text + " " + place(attempt);
}

}  // namespace

std::string failure_text(const Cluster& cluster, const std::string& what, int http_status,
                         std::string_view body) {
  std::string message = status_message(body);
  if (message.empty()) {
    message = "the server answered HTTP status " + std::to_string(http_status) + " to " + what +
              " without saying why";
    const size_t line = std::min(body.find_first_of("\r\n"), body.size());
    const std::string_view first = body.substr(0, line);
    const std::string shown = plugin_common::to_valid_utf8(
        std::string(first.substr(0, plugin_common::utf8_prefix(first, k_most_shown))));
    if (!shown.empty()) message += "; its answer begins: " + shown;
  }
  if (http_status != 401) return message;
  return message + ": the API server " + cluster.server + " does not accept the credentials of the " +
         cluster.origin + "; are they expired or of another cluster?";
}

std::string failure_text(const Attempt& attempt, const Cluster& cluster, int http_status,
                         std::string_view body) {
  std::string message = failure_text(cluster, describe(attempt), http_status, body);
  if (http_status == 403 && is_missing_permission(message))
    return message + ". " + permission_hint(attempt, cluster, message);
  if (http_status == 422 && attempt.verb.verb == Verb::patch && message == k_bare_patch_message) {
    return message +
           " (HTTP 422: a \"test\" operation of the JSON Patch did not hold, one of its paths does not "
           "exist, or an "
           "operation is unknown)";
  }
  return message;
}

std::string failure_of(const Attempt& attempt, const Client& client, par::HttpResponse& response) {
  std::string body;
  try {
    body = client.read(response, k_most_read);
  } catch (const par::Error&) {
    client.call().check();  // the status alone has to do, unless the call has ended
  }
  return failure_text(attempt, client.cluster(), response.status(), body);
}

}  // namespace kubernetes
