#pragma once

#include <string>
#include <string_view>

#include "client.hpp"
#include "inputs.hpp"

namespace kubernetes {

/// What an error text has to name.
struct Attempt {
  const Kind& kind;
  const VerbRow& verb;          ///< of the action
  std::string_view rbac_verb;   ///< that the server wanted for this request
  std::string_view name_space;  ///< empty: all, or none
  std::string_view name;        ///< empty: a collection
};

/// The text for an answer that is no success: the server's own message, and what would help. `body` is a
/// Status of the API, or whatever came instead.
std::string failure_text(const Attempt& attempt, const Cluster& cluster, int http_status,
                         std::string_view body);

/// As above, for a request that has nothing to do with a kind; `what` names it, such as "GET /version".
std::string failure_text(const Cluster& cluster, const std::string& what, int http_status,
                         std::string_view body);

/// As the first, with the body of the answer read from it.
std::string failure_of(const Attempt& attempt, const Client& client, par::HttpResponse& response);

}  // namespace kubernetes
