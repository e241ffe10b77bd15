#pragma once

#include <string>

#include "kinds.hpp"

namespace kubernetes {

/// The manifest of a bundle's plugin, as JSON. Beside what every manifest has, each action says under `rbac`
/// which rights it needs: a list of {apiGroup, resource, verbs, namespaced}.
std::string manifest_json(const Bundle& bundle);

}  // namespace kubernetes
