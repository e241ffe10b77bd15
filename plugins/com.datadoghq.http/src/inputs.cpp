#include "inputs.hpp"

#include <par/sdk/error.hpp>

namespace http_plugin {
namespace {

using par::json::find;
using par::json::Value;

std::string_view text_of(const Value& object, std::string_view name) {
  const Value* const member = find(object, name);
  return member != nullptr && member->IsString() ? par::json::text(*member) : std::string_view();
}

bool flag(const Value& object, std::string_view name, bool otherwise) {
  const Value* const member = find(object, name);
  return member != nullptr && member->IsBool() ? member->GetBool() : otherwise;
}

// Calls `each` for every object of the list `name`.
template <typename Each>
void for_each(const Value& object, std::string_view name, Each&& each) {
  const Value* const list = find(object, name);
  if (list == nullptr || !list->IsArray()) return;
  for (const Value& item : list->GetArray()) each(item);
}

}  // namespace

Inputs::Inputs(std::string_view inputs_json) {
  std::string error;
  if (!par::json::parse(inputs_json, document_, error)) {
    throw par::Error(PAR_INTERNAL, "the inputs are not valid JSON: " + error);
  }
  if (const std::string_view given = text_of(document_, "verb"); !given.empty()) verb = given;
  url = text_of(document_, "url");
  body = find(document_, "body");
  if (body != nullptr && (body->IsNull() || (body->IsString() && body->GetStringLength() == 0)))
    body = nullptr;

  for_each(document_, "requestHeaders", [&](const Value& item) {
    HeaderInput header{text_of(item, "key"), {}};
    for_each(item, "value", [&](const Value& value) {
      if (value.IsString()) header.values.push_back(par::json::text(value));
    });
    headers.push_back(std::move(header));
  });
  for_each(document_, "cookies", [&](const Value& item) {
    if (!cookie_.empty()) cookie_ += "; ";
    cookie_.append(text_of(item, "key")).append("=").append(text_of(item, "value"));
  });
  if (!cookie_.empty()) headers.push_back({"Cookie", {cookie_}});
  for_each(document_, "urlParams",
           [&](const Value& item) { url_params.emplace_back(text_of(item, "key"), text_of(item, "value")); });
  for_each(document_, "formData", [&](const Value& item) {
    form.push_back({text_of(item, "key"), text_of(item, "value"), text_of(item, "type")});
  });
  follow_redirect = flag(document_, "followRedirect", true);
  any_certificate = flag(document_, "allowExpiredCertificate", false);
  for_each(document_, "errorOnStatus", [&](const Value& item) {
    error_on_status.push_back(item.IsString() ? par::json::text(item) : std::string_view());
  });
  response_parsing = text_of(document_, "responseParsing");
  response_encoding = text_of(document_, "responseEncoding");
}

}  // namespace http_plugin
