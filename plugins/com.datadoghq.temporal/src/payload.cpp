#include "payload.hpp"

#include <string_view>

#include <par/plugin.hpp>

#include "temporal.pb.h"

namespace temporal_plugin {
namespace {

constexpr const char* k_encoding = "encoding";
constexpr std::string_view k_null = "binary/null";
constexpr std::string_view k_json = "json/plain";

// RapidJSON's writer puts numbers that were read as text between quotes.
struct ExactWriter : par::json::Writer {
  using Writer::Writer;
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    return RawValue(text, length, rapidjson::kNumberType);
  }
};

std::string compact(std::string_view json) {
  rapidjson::StringBuffer buffer;
  ExactWriter writer(buffer);
  std::string error;
  if (!par::json::parse_events<rapidjson::kParseNumbersAsStringsFlag>(json, writer, error))
    throw par::Error("the workflow's result is not valid JSON: " + error);
  return {buffer.GetString(), buffer.GetSize()};
}

const char* kind_of(const par::json::Value& value) {
  switch (value.GetType()) {
    case rapidjson::kObjectType:
      return "an object";
    case rapidjson::kArrayType:
      return "a list";
    case rapidjson::kNumberType:
      return "a number";
    default:
      return "a boolean";
  }
}

[[noreturn]] void refuse(const std::string& found) {
  throw par::Error(
      "the workflow completed, but its result is " + found +
      "; this action returns strings: let the workflow return one, or set `jsonResult: true` under "
      "`plugins.com.datadoghq.temporal` of the runner's configuration to get JSON text");
}

}  // namespace

void write_payload(const par::json::Value& argument, wire::Payload& payload) {
  auto& metadata = *payload.mutable_metadata();
  metadata[k_encoding] = argument.IsNull() ? k_null : k_json;
  if (!argument.IsNull()) payload.set_data(par::json::write(argument));
}

std::string read_result(const wire::Payload& payload, bool json_text) {
  const auto entry = payload.metadata().find(k_encoding);
  const std::string encoding = entry == payload.metadata().end() ? std::string() : entry->second;
  if (encoding == k_null) return json_text ? "null" : "";
  if (encoding != k_json && !(json_text && encoding == "json/protobuf")) {
    throw par::Error("the workflow completed, but its result has the encoding \"" + encoding.substr(0, 200) +
                     "\"; this action reads json/plain only");
  }
  par::json::Document value;
  std::string error;
  if (!par::json::parse(payload.data(), value, error))
    throw par::Error("the workflow's result is not valid JSON: " + error);
  if (value.IsString()) return std::string(par::json::text(value));
  if (json_text) return compact(payload.data());
  if (value.IsNull()) return "";
  refuse(kind_of(value));
}

}  // namespace temporal_plugin
