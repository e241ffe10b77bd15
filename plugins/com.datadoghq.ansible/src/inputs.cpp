#include "inputs.hpp"

#include <par/sdk/error.hpp>

namespace ansible_plugin {

Inputs::Inputs(std::string_view inputs_json) {
  std::string error;
  if (!par::json::parse(inputs_json, document_, error)) throw par::Error(PAR_INTERNAL, "inputs: " + error);
  const auto member = [&](std::string_view name) { return par::json::find(document_, name); };
  const auto text = [&](std::string_view name) {
    const auto* const value = member(name);
    return value == nullptr ? std::string() : std::string(par::json::text(*value));
  };
  const auto texts = [&](std::string_view name) {
    std::vector<std::string> list;
    if (const auto* const value = member(name)) {
      for (const auto& item : value->GetArray()) list.emplace_back(par::json::text(item));
    }
    return list;
  };
  playbook = text("playbook");
  inventory = text("inventory");
  limit = text("limit");
  tags = texts("tags");
  skip_tags = texts("skipTags");
  if (const auto* const vars = member("extraVars"); vars != nullptr && !vars->ObjectEmpty())
    extra_vars = vars;
  if (const auto* const value = member("check")) check = value->GetBool();
  if (const auto* const value = member("verbosity")) verbosity = value->GetInt();
  if (const auto* const value = member("waitForCompletion")) wait = value->GetBool();
  if (const auto* const value = member("pollIntervalSeconds")) poll_interval_seconds = value->GetInt64();
}

std::string comma_joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ",") + text;
  return joined;
}

}  // namespace ansible_plugin
