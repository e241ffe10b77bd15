#pragma once

#include <string>
#include <string_view>

#include <par/connection.hpp>

#include "inputs.hpp"

namespace http_plugin {

/// A multipart form, ready to send. Empty bytes: there is none.
struct Form {
  std::string content_type;
  std::string bytes;
};

/// The form of the inputs, with the fields of the connection's form over them, in input order. With
/// `plain_data_uris` the text of a data URI is sent as it is, as other runners do; else its decoded bytes go
/// as a file. Throws par::Error for a field that cannot be read.
Form make_form(const Inputs& inputs, const par::Connection& connection, bool plain_data_uris);

}  // namespace http_plugin
