#pragma once

#include <string_view>

namespace postgresql_plugin {

/// Throws par::Error that names the first function, column or relation in `statement` which no action may
/// use: those that change settings, signal other sessions, take advisory locks, or describe server, sessions
/// and privileges, run SQL given as text, or reach files and other servers. No boundary: functions of the
/// database may call them, so what the role may do decides. A name counts wherever it stands, also inside a
/// longer name or a literal, in any case; those that only this runner refuses count as whole identifiers.
/// Identifiers in the form U&"..." are refused too, since they can spell any name.
void refuse_forbidden_names(std::string_view statement);

}  // namespace postgresql_plugin
