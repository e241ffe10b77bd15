#include "multipart.hpp"

#include <algorithm>

#include <par/sdk/error.hpp>

#include "media_type.hpp"
#include "response.hpp"
#include "text.hpp"

namespace http_plugin {
namespace {

struct Part {
  std::string name;
  std::string file_name;
  std::string type = "text/plain";
  std::string_view data;
};

// `header` is one line of a part, without its line end.
void read_header(Part& part, std::string_view header) {
  const size_t colon = header.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = trim(header.substr(0, colon));
  const std::string_view value = trim(header.substr(colon + 1));
  if (equal_ignoring_case(name, "content-type") && !value.empty()) part.type = value;
  if (!equal_ignoring_case(name, "content-disposition")) return;
  MediaType disposition;  // has the same grammar
  if (!parse_media_type(value, disposition)) return;
  part.name = disposition.parameter("name");
  part.file_name = disposition.parameter("filename");
}

Part read_part(std::string_view text) {
  Part part;
  for (;;) {
    const size_t end = text.find("\r\n");
    if (end == std::string_view::npos)
      throw par::Error("a part of the multipart response has no end of its headers");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    read_header(part, line);
  }
  part.data = text;
  return part;
}

void append_json(std::string& out, const Part& part, std::string_view encoding) {
  MediaType type;
  if (!parse_media_type(part.type, type))
    throw par::Error("a part of the multipart response has a malformed type");
  out += "{\"Filename\":";
  append_json_string(out, to_valid_utf8(part.file_name));
  out += ",\"Name\":";
  append_json_string(out, to_valid_utf8(part.name));
  out += ",\"Type\":";
  append_json_string(out, to_valid_utf8(part.type));
  out += ",\"Data\":";
  // A form inside a form is not taken apart.
  Conversion conversion = choose_conversion(type, {}, encoding);
  if (conversion.parsing == Parsing::form_data) conversion = choose_conversion(type, "raw", encoding);
  out += convert_body(std::string(part.data), type, conversion);
  out += '}';
}

}  // namespace

std::string multipart_json(std::string_view body, std::string_view boundary, std::string_view encoding) {
  if (boundary.empty()) throw par::Error("the multipart response names no boundary in its Content-Type");
  const std::string delimiter = "\r\n--" + std::string(boundary);
  // The first delimiter may stand at the very start.
  size_t at = body.substr(0, delimiter.size() - 2) == std::string_view(delimiter).substr(2)
                  ? 0
                  : body.find(delimiter);
  if (at == std::string_view::npos) throw par::Error("the multipart response does not contain its boundary");
  body.remove_prefix(at == 0 ? delimiter.size() - 2 : at + delimiter.size());

  std::string result = "[";
  while (body.substr(0, 2) != "--") {
    const size_t line_end = body.find("\r\n");  // after optional padding
    const size_t next = body.find(delimiter, line_end == std::string_view::npos ? 0 : line_end);
    if (line_end == std::string_view::npos || next == std::string_view::npos) {
      throw par::Error("the multipart response is cut off");
    }
    // A part may be empty, so that its delimiter begins with the line end that closes its headers.
    const size_t start = line_end + 2;
    if (result.size() > 1) result += ',';
    append_json(result, read_part(body.substr(start, std::max(next, start) - start)), encoding);
    body.remove_prefix(next + delimiter.size());
  }
  return result + "]";
}

}  // namespace http_plugin
