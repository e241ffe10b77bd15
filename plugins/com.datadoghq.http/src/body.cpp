#include "body.hpp"

#include "template.hpp"
#include "text.hpp"

namespace http_plugin {
namespace {

using par::json::Value;

Body text_body(std::string text, bool quote) {
  if (text.empty()) return {};
  if (!quote) return Body::of(std::move(text));
  std::string quoted;
  append_json_string(quoted, text);
  return Body::of(std::move(quoted));
}

// The members of `input`, overwritten by those of `fixed`.
std::string merge(const Value& input, const Value& fixed) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  writer.StartObject();
  for (const auto& member : input.GetObject()) {
    const Value* const overwrite = par::json::find(fixed, par::json::text(member.name));
    writer.Key(par::json::text(member.name));
    (overwrite == nullptr ? member.value : *overwrite).Accept(writer);
  }
  for (const auto& member : fixed.GetObject()) {
    if (par::json::find(input, par::json::text(member.name)) != nullptr) continue;
    writer.Key(par::json::text(member.name));
    member.value.Accept(writer);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Body with_json(const Value* input, std::string connection_text, bool quote) {
  if (input == nullptr) return text_body(std::move(connection_text), quote);
  if (!input->IsObject()) {
    throw par::Error(
        "the connection has a JSON body, so the input body must be an object, too, or be left out");
  }
  par::json::Document fixed;
  std::string error;
  if (!par::json::parse(connection_text, fixed, error) || !fixed.IsObject()) {
    throw par::Error("the body of the connection is not a JSON object" +
                     (error.empty() ? error : ": " + error));
  }
  return Body::of(merge(*input, fixed));
}

Body with_text(const Value* input, std::string connection_text, bool quote) {
  if (input == nullptr) return text_body(std::move(connection_text), quote);
  if (!input->IsString()) {
    throw par::Error(
        "the connection has a text body, so the input body must be a string, too, or be left out");
  }
  connection_text.append("\r\n").append(par::json::text(*input));
  return text_body(std::move(connection_text), quote);
}

}  // namespace

bool has_connection_form(const par::Connection& connection) {
  return !connection.body_content().empty() &&
         equal_ignoring_case(trim(connection.body_content_type()), "multipart/form-data");
}

Body make_body(const Inputs& inputs, const par::Connection& connection, const std::string* content_type,
               bool quote_strings) {
  const Value* const input = inputs.body;
  const bool from_connection = !connection.body_content().empty() && !has_connection_form(connection);
  if (!from_connection) {
    if (input == nullptr) return {};
    if (input->IsString() && !quote_strings) return Body::borrowed(par::json::text(*input));
    return Body::of(par::json::write(*input));
  }
  const std::string_view type = connection.body_content_type();
  if (content_type != nullptr && content_type->compare(0, type.size(), type) != 0) {
    throw par::Error("the request's Content-Type is \"" + *content_type +
                     "\", but the connection's body is \"" + std::string(type) +
                     "\"; give the header the connection's type, or use another connection");
  }
  const std::string lowered = lower(type);
  const bool json = lowered.find("/json") != std::string::npos || lowered.find("+json") != std::string::npos;
  std::string text = render(connection.body_content(), connection);
  return json ? with_json(input, std::move(text), quote_strings)
              : with_text(input, std::move(text), quote_strings);
}

}  // namespace http_plugin
