#pragma once

#include <string>
#include <string_view>

#include <par/connection.hpp>

namespace http_plugin {

/// `text` with each `{{ path }}` replaced by what the connection's credentials hold there: a token under
/// its own name, all of them as JSON under `Credentials` and `$credentials`. A path that leads nowhere
/// gives nothing. Segments are separated by dots; `[any text]` quotes one. Throws par::Error for every
/// other construct.
std::string render(std::string_view text, const par::Connection& connection);

}  // namespace http_plugin
