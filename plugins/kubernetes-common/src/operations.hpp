#pragma once

#include "client.hpp"
#include "verbs.hpp"

namespace kubernetes {

/// Runs one action of a kind and hands over its result. Throws par::Error.
void run_operation(const Kind& kind, const VerbRow& verb, const par::Request& task, par::Call& call,
                   Connections& connections);

/// Asks the server who we are and which version it has. What is wrong becomes part of the result; only the
/// end of the call is thrown.
void run_connection_test(const par::Request& task, par::Call& call, Connections& connections);

}  // namespace kubernetes
