#include "plugin.hpp"

#include "operations.hpp"

namespace kubernetes {

Plugin::Plugin(std::string_view name) {
  const Bundle* const bundle = find_bundle(name);
  if (bundle == nullptr) throw par::Error(PAR_INTERNAL, "there is no bundle \"" + std::string(name) + "\"");
  for (const Kind& kind : bundle->kinds) {
    for (const VerbRow& verb : all_verbs()) {
      if (holds(kind.verbs, verb.verb)) actions_.try_emplace(verb.action_name(kind), &kind, &verb);
    }
  }
}

void Plugin::run(const par::Request& request, par::Call& call) const {
  const auto action = actions_.find(request.action());
  if (action == actions_.end()) {
    throw par::Error(PAR_INTERNAL, "the plugin has no action \"" + std::string(request.action()) + "\"");
  }
  const auto [kind, verb] = action->second;
  run_operation(*kind, *verb, request, call, connections_);
}

void Plugin::test_connection(const par::Request& request, par::Call& call) const {
  run_connection_test(request, call, connections_);
}

}  // namespace kubernetes
