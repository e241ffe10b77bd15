#include "value.hpp"

#include <par/json.hpp>
#include <par/sdk/error.hpp>

#include "plugins/common/encoding.hpp"
#include "time_text.hpp"

namespace postgresql_plugin {
namespace {

using plugin_common::append_json_string;

// OIDs of built-in types, which never change.
enum Type : unsigned {
  type_bool = 16,
  type_bytea = 17,
  type_char = 18,  // "char"
  type_int8 = 20,
  type_int2 = 21,
  type_int4 = 23,
  type_text = 25,
  type_json = 114,
  type_float4 = 700,
  type_float8 = 701,
  type_bpchar = 1042,  // char(n)
  type_varchar = 1043,
  type_date = 1082,
  type_time = 1083,
  type_timestamp = 1114,
  type_timestamptz = 1184,
  type_timetz = 1266,
  type_bit = 1560,
  type_varbit = 1562,
  type_jsonb = 3802
};

// A value stands in the list of its row, in the list of rows, in the result.
constexpr unsigned k_max_depth = par::json::k_max_depth - 3;

int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// "\x01ff"
std::string bytes_of(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t at = 2; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>(hex_digit(hex[at]) << 4 | hex_digit(hex[at + 1]));
  }
  return bytes;
}

void append_text(std::string& out, std::string_view text) {
  if (plugin_common::is_valid_utf8(text)) {
    append_json_string(out, text);
  } else {
    append_json_string(out, plugin_common::to_valid_utf8(std::string(text)));
  }
}

bool is_fit_json(std::string_view text) {
  rapidjson::BaseReaderHandler<> nothing;
  std::string error;
  return par::json::parse_events(text, nothing, error, k_max_depth);
}

// What is no number, or no time that RFC 3339 can write.
void append_inexpressible(std::string& out, const Column& column, std::string_view text) {
  if (column.strict) {
    throw par::Error("column \"" + column.name + "\" holds " + std::string(text) +
                     ", which has no JSON form under strictUpstream; cast the column to text");
  }
  append_text(out, text);
}

void append_time_value(std::string& out, const Column& column, std::string_view text,
                       bool (*convert)(std::string&, std::string_view)) {
  const size_t before = out.size();
  out += '"';
  if (convert(out, text)) {
    out += '"';
    return;
  }
  out.resize(before);
  append_inexpressible(out, column, text);
}

}  // namespace

Mapping mapping_of(unsigned type_oid, bool strict) {
  switch (type_oid) {
    case type_int2:
    case type_int4:
    case type_int8:
      return Mapping::number;
    case type_float4:
    case type_float8:
      return Mapping::floating;
    case type_bool:
      return Mapping::boolean;
    case type_bytea:
      return Mapping::bytea;
    case type_date:
      return Mapping::date;
    case type_timestamp:
    case type_timestamptz:
      return Mapping::timestamp;
    case type_time:
    case type_timetz:
      return Mapping::time;
    case type_text:
    case type_varchar:
    case type_char:
    case type_bpchar:
    case type_bit:
    case type_varbit:
      return Mapping::text;
    case type_json:
    case type_jsonb:
      return strict ? Mapping::base64 : Mapping::json;
    default:
      return strict ? Mapping::base64 : Mapping::text;
  }
}

void append_value(std::string& out, const Column& column, std::string_view text) {
  switch (column.mapping) {
    case Mapping::number:
      out += text;
      return;
    case Mapping::floating:
      // NaN, Infinity and -Infinity are the only ones with an N or an I.
      if (text.find_first_of("NI") == std::string_view::npos) {
        out += text;
      } else {
        append_inexpressible(out, column, text);
      }
      return;
    case Mapping::boolean:
      out += text == "t" ? "true" : "false";
      return;
    case Mapping::text:
      append_text(out, text);
      return;
    case Mapping::bytea:
      out.append("\"").append(plugin_common::base64(bytes_of(text))).append("\"");
      return;
    case Mapping::date:
      append_time_value(out, column, text, append_date);
      return;
    case Mapping::timestamp:
      append_time_value(out, column, text, append_timestamp);
      return;
    case Mapping::time:
      append_time_value(out, column, text, append_time);
      return;
    case Mapping::json:
      if (is_fit_json(text)) {
        out += text;
      } else {
        append_text(out, text);
      }
      return;
    case Mapping::base64:
      out.append("\"").append(plugin_common::base64(text)).append("\"");
      return;
  }
}

}  // namespace postgresql_plugin
