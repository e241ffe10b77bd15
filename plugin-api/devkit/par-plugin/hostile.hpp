#pragma once

#include <string>
#include <vector>

#include "core/plugin/schema.hpp"
#include "plugin-api/devkit/par-plugin/peer.hpp"
#include "plugin-api/devkit/par-plugin/subject.hpp"

namespace par::kit {

/// Variants of a sample's inputs that fit `schema`, as the runner promises, in the form in which it hands
/// them over: huge and odd texts in place of each text, numbers at the limits, deep and unknown members.
std::vector<std::string> hostile_inputs(const std::string& inputs, const core::Schema& schema);

/// JSON that is no object, which no host sends.
std::vector<std::string> inputs_of_other_types();

/// Variants of a connection whose credentials and settings are huge and odd texts, or missing.
std::vector<std::string> hostile_connections(const std::string& connection);

/// Answers of the kind that has this index in Answer. Servers: empty, cut, deep, huge, no UTF-8, odd
/// statuses, many headers. Programs: output of that sort, much of it on standard error, odd exit codes and
/// signals.
const std::vector<Answer>& hostile_answers(size_t kind);

/// Peers of protocols that a library speaks by itself: silent, cut, rubbish, lengths that nothing has, and
/// the beginnings of TLS, HTTP/2 and PostgreSQL with nonsense behind them.
const std::vector<PeerScript>& hostile_peers();

}  // namespace par::kit
