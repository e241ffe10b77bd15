#pragma once

#include <string>

#include "core/base/result.hpp"

namespace par::core {

class ActionsAllowlist;
class Catalog;

/// YAML of a Role and a ClusterRole with exactly the rights that the allowed actions need in Kubernetes, as
/// their manifests say under `rbac`; a comment where they need none. Errors: facts of another form, with the
/// action's name.
Result<std::string> rbac_yaml(const Catalog& catalog, const ActionsAllowlist& allowlist);

}  // namespace par::core
