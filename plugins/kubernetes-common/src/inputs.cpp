#include "inputs.hpp"

#include <string>

#include <par/sdk/error.hpp>

#include "members.hpp"

namespace kubernetes {
namespace {

using par::json::find;
using par::json::Value;

}  // namespace

Inputs::Inputs(std::string_view inputs_json, const Kind& kind, const VerbRow& verb) {
  std::string error;
  if (!par::json::parse(inputs_json, document_, error)) {
    throw par::Error(PAR_INTERNAL, "the inputs are not valid JSON: " + error);
  }
  if (kind.scope == Scope::namespaced) name_space = text_of(document_, "namespace");
  name = text_of(document_, "name");
  body = find(document_, "body");
  dry_run = text_of(document_, "dryRun");
  field_manager = text_of(document_, "fieldManager");
  field_validation = text_of(document_, "fieldValidation");
  label_selector = text_of(document_, "labelSelector");
  field_selector = text_of(document_, "fieldSelector");
  continue_token = text_of(document_, "continue");
  propagation_policy = text_of(document_, "propagationPolicy");
  if (const Value* const seconds = find(document_, "gracePeriodSeconds"); seconds && seconds->IsInt64()) {
    grace_period_seconds = seconds->GetInt64();
  }
  if (const Value* const value = find(document_, "force"); value && value->IsBool()) force = value->GetBool();
  if (const Value* const most = find(document_, "limit"); most && most->IsInt64()) limit = most->GetInt64();

  if (kind.scope == Scope::namespaced && verb.needs_namespace && name_space.empty()) {
    throw par::Error("namespace is required");
  }
  if (verb.verb == Verb::update) {
    const Value* const metadata = body == nullptr ? nullptr : find(*body, "metadata");
    name = metadata == nullptr ? std::string_view() : text_of(*metadata, "name");
    if (name.empty()) {
      throw par::Error("body.metadata.name is required: it names the " + std::string(kind.name) +
                       " to replace");
    }
  }
}

}  // namespace kubernetes
