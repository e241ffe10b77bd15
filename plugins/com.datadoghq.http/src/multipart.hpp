#pragma once

#include <string>
#include <string_view>

namespace http_plugin {

/// The parts of a multipart/form-data answer as a JSON list of {"Filename","Name","Type","Data"}. A part
/// without a type counts as text/plain; its data is converted by the part's own type and by `encoding`, a
/// responseEncoding, unless that is empty. Throws par::Error if the boundary is missing or the body is cut
/// off.
std::string multipart_json(std::string_view body, std::string_view boundary, std::string_view encoding);

}  // namespace http_plugin
