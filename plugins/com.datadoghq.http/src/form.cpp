#include "form.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

#include "body.hpp"
#include "template.hpp"
#include "text.hpp"

namespace http_plugin {
namespace {

struct Field {
  std::string key;
  std::string value;
  std::string file_name;  // empty: a plain field
  std::string media_type;
};

// Without the line ends that some encoders put in, and with the padding that others leave out.
std::string tidy_base64(std::string_view text) {
  std::string tidy;
  tidy.reserve(text.size() + 3);
  for (const char c : text) {
    if (!is_white_space(c)) tidy += c;
  }
  while (tidy.size() % 4 != 0) tidy += '=';
  return tidy;
}

// "data:image/png;base64,AAAA": the media type ends at the first ';', and base64 follows at once.
void read_data_uri(Field& field, std::string_view uri, bool plain) {
  constexpr std::string_view k_scheme = "data:";
  constexpr std::string_view k_encoding = "base64,";
  uri = trim(uri);
  const auto refuse = [&](const char* why) -> par::Error {
    return par::Error("form field \"" + field.key + "\": " + why +
                      "; expected data:<media type>;base64,<data>");
  };
  if (uri.substr(0, k_scheme.size()) != k_scheme) throw refuse("not a data URI");
  uri.remove_prefix(k_scheme.size());
  const size_t end = uri.find(';');
  if (end == std::string_view::npos || end == 0) throw refuse("no media type");
  const std::string_view media_type = uri.substr(0, end);
  uri.remove_prefix(end + 1);
  if (uri.substr(0, k_encoding.size()) != k_encoding) throw refuse("not in base64");
  uri.remove_prefix(k_encoding.size());
  if (plain) {
    field.value = uri;
    return;
  }
  for (const char c : media_type) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 127)
      throw refuse("the media type has an illegal character");
  }
  if (!base64_decode(tidy_base64(uri), field.value)) throw refuse("the data is not valid base64");
  const size_t slash = media_type.find('/');
  field.media_type = media_type;
  field.file_name = field.key + "." +
                    std::string(slash == std::string_view::npos ? media_type : media_type.substr(slash + 1));
}

std::vector<Field> input_fields(const Inputs& inputs, bool plain_data_uris) {
  std::vector<Field> fields;
  for (const FormInput& input : inputs.form) {
    Field field;
    field.key = input.key;
    if (input.type.empty() || input.type == "string") {
      field.value = input.value;
    } else if (input.type == "datauri") {
      read_data_uri(field, input.value, plain_data_uris);
    } else {
      throw par::Error("form field \"" + field.key + "\": type \"" + std::string(input.type) +
                       "\" is neither \"string\" nor \"datauri\"");
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

// Puts `field` in the place of the first field of its key and takes out the others, or adds it at the end.
void overlay(std::vector<Field>& fields, Field field) {
  const auto same = [&field](const Field& other) { return other.key == field.key; };
  const auto first = std::find_if(fields.begin(), fields.end(), same);
  if (first == fields.end()) {
    fields.push_back(std::move(field));
    return;
  }
  fields.erase(std::remove_if(first + 1, fields.end(), same), fields.end());
  *first = std::move(field);
}

void overlay_connection(std::vector<Field>& fields, const par::Connection& connection) {
  par::json::Document list;
  std::string error;
  if (!par::json::parse(connection.body_content(), list, error) || !list.IsArray()) {
    throw par::Error("the form of the connection is not a JSON list of {\"key\": ..., \"value\": ...}");
  }
  for (const par::json::Value& item : list.GetArray()) {
    const par::json::Value* const key = par::json::find(item, "key");
    const par::json::Value* const value = par::json::find(item, "value");
    if (key == nullptr || !key->IsString() || value == nullptr || !value->IsString()) {
      throw par::Error("the form of the connection has an entry whose key or value is missing or no text");
    }
    Field field;
    field.key = render(par::json::text(*key), connection);
    field.value = render(par::json::text(*value), connection);
    overlay(fields, std::move(field));
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      default:
        out += c;
    }
  }
  out += '"';
}

std::string make_boundary() {
  std::random_device random;
  std::array<uint32_t, 6> words{};
  for (uint32_t& word : words) word = random();
  return hex({reinterpret_cast<const char*>(words.data()), sizeof words});
}

}  // namespace

Form make_form(const Inputs& inputs, const par::Connection& connection, bool plain_data_uris) {
  std::vector<Field> fields = input_fields(inputs, plain_data_uris);
  if (has_connection_form(connection)) overlay_connection(fields, connection);
  Form form;
  if (fields.empty()) return form;
  const std::string boundary = make_boundary();
  form.content_type = "multipart/form-data; boundary=" + boundary;
  for (const Field& field : fields) {
    form.bytes.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=");
    append_quoted(form.bytes, field.key);
    if (!field.file_name.empty()) {
      form.bytes += "; filename=";
      append_quoted(form.bytes, field.file_name);
      form.bytes.append("\r\nContent-Type: ").append(field.media_type);
    }
    form.bytes.append("\r\n\r\n").append(field.value).append("\r\n");
  }
  form.bytes.append("--").append(boundary).append("--\r\n");
  return form;
}

}  // namespace http_plugin
