#pragma once

#include <string>

namespace par::core {

class ActionsAllowlist;
class Catalog;

/// One full action name per line, sorted.
std::string list_actions(const Catalog& catalog);

/// A JSON list with one object per line: name, summary, library, effect ("reads" or "writes") and, where
/// `allowlist` is given, allowed.
std::string list_actions_json(const Catalog& catalog, const ActionsAllowlist* allowlist);

}  // namespace par::core
