#include "settings.hpp"

#include <par/json.hpp>
#include <par/sdk/error.hpp>

namespace http_plugin {

Settings Settings::read(std::string_view json) {
  par::json::Document document;
  std::string error;
  if (!par::json::parse(json, document, error)) {
    throw par::Error(PAR_INTERNAL, "the settings are not valid JSON: " + error);
  }
  Settings settings;
  const auto* const strict = par::json::find(document, "strictUpstream");
  settings.strict_upstream = strict != nullptr && strict->IsBool() && strict->GetBool();
  const auto* const limit = par::json::find(document, "maxResponseBytes");
  if (limit != nullptr && limit->IsUint64()) settings.max_response_bytes = limit->GetUint64();
  return settings;
}

}  // namespace http_plugin
