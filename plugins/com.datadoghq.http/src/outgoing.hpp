#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "body.hpp"
#include "client_identity.hpp"
#include "form.hpp"
#include "headers.hpp"
#include "inputs.hpp"
#include "settings.hpp"

namespace http_plugin {

/// A request as it will be sent: what the inputs and the connection say, checked, rendered and put together.
/// Views of both, which must outlive it.
struct Outgoing {
  std::string_view verb;
  std::string url;
  Headers headers;
  Body body;  ///< a form's bytes, if there is a form
  ClientIdentity identity;
  bool any_certificate = false;

  /// Throws par::Error. What is wrong with headers, URL, body or form shows its step to the user and its
  /// detail to the operators.
  Outgoing(const Inputs& inputs, const par::Connection& connection, const Settings& settings);

  /// Sends it and returns the answer's head; at most `max_body_bytes` of its body can be read. Throws
  /// par::Error: a refusal by policy may be shown, any other failure shows that the request failed.
  par::HttpResponse send(bool follow_redirects, uint64_t max_body_bytes, par::Call& call) const;
};

}  // namespace http_plugin
