#include "plugins/com.datadoghq.http/src/form.hpp"
#include "plugins/com.datadoghq.http/src/multipart.hpp"
#include "plugins/com.datadoghq.http/src/text.hpp"
#include "tests/fuzz/target.hpp"

using namespace http_plugin;

namespace {

// A form field for each line: key, value and type with tabs between them.
std::string inputs_json(std::string_view text, bool& files) {
  std::string json = "{\"formData\":[";
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (json.back() != '[') json += ',';
    json += '{';
    for (const char* const name : {"key", "value", "type"}) {
      const size_t tab = std::min(line.find('\t'), line.size());
      if (json.back() != '{') json += ',';
      json.append("\"").append(name).append("\":");
      append_json_string(json, to_valid_utf8(std::string(line.substr(0, tab))));
      if (name[0] == 't') files = files || line.substr(0, tab) == "datauri";
      line.remove_prefix(std::min(tab + 1, line.size()));
    }
    json += '}';
  }
  return json + "]}";
}

}  // namespace

// A form that is sent reads back as the same fields.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bool files = false;
  const Inputs inputs(inputs_json(par::fuzz::text(data, size), files));
  static const par::Connection connection("{}");
  try {
    const Form form = make_form(inputs, connection, false);
    if (form.bytes.empty()) return 0;
    const std::string boundary = form.content_type.substr(form.content_type.find('=') + 1);
    par::json::Document parts;
    std::string error;
    PAR_FUZZ_REQUIRE(par::json::parse(multipart_json(form.bytes, boundary, {}), parts, error));
    PAR_FUZZ_REQUIRE(parts.Size() == inputs.form.size());
    for (rapidjson::SizeType at = 0; at < parts.Size() && !files; ++at) {
      const FormInput& field = inputs.form[at];
      PAR_FUZZ_REQUIRE(par::json::text(parts[at]["Data"]) == field.value);
      if (field.key.find('\r') == std::string_view::npos)
        PAR_FUZZ_REQUIRE(par::json::text(parts[at]["Name"]) == field.key);
    }
  } catch (const par::Error& error) {
    // A field that cannot be read, or the type of a file that is none when it is read back.
    PAR_FUZZ_REQUIRE(error.message().rfind("form field \"", 0) == 0 || files);
  }
  return 0;
}
