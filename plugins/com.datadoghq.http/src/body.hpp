#pragma once

#include <string>
#include <string_view>

#include <par/connection.hpp>

#include "inputs.hpp"

namespace http_plugin {

/// What is sent as the body: nothing, or bytes that are a view of the inputs where that is possible.
class Body {
 public:
  Body() = default;
  static Body of(std::string bytes) {
    Body body;
    body.present_ = true;
    body.owned_ = std::move(bytes);
    return body;
  }
  static Body borrowed(std::string_view bytes) {
    Body body;
    body.present_ = true;
    body.view_ = bytes;
    return body;
  }

  bool present() const { return present_; }
  std::string_view bytes() const { return view_.empty() ? std::string_view(owned_) : view_; }

 private:
  bool present_ = false;
  std::string owned_;
  std::string_view view_;
};

/// The body from the inputs and the connection's own one. `content_type` is the request's header
/// Content-Type, in just this spelling, or null. With `quote_strings` a text is sent as a JSON string, as
/// other runners do. Throws par::Error if the two do not fit. A connection body of type multipart/form-data
/// is no concern of this function.
Body make_body(const Inputs& inputs, const par::Connection& connection, const std::string* content_type,
               bool quote_strings);

/// Whether the connection's body is a form.
bool has_connection_form(const par::Connection& connection);

}  // namespace http_plugin
