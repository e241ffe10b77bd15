#include "outgoing.hpp"

#include <utility>

#include "template.hpp"
#include "text.hpp"
#include "url.hpp"

namespace http_plugin {
namespace {

// Runs one step of preparing a request. What it throws keeps its detail for the operators; the user is told
// the step.
template <typename Step>
auto prepare(const char* display, Step&& step) {
  try {
    return step();
  } catch (const par::Error& error) {
    throw par::Error(error.message(), display);
  }
}

// As it is written: only this spelling is held against the connection's body.
const std::string* exact_content_type(const Headers& headers) {
  for (const auto& [name, value] : headers.list()) {
    if (name == "Content-Type") return &value;
  }
  return nullptr;
}

std::string full_url(const Url& url, const Inputs& inputs, const par::Connection& connection) {
  Pairs added(inputs.url_params.begin(), inputs.url_params.end());
  for (const auto& [name, value] : connection.url_parameters())
    added.emplace_back(name, render(value, connection));
  return request_url(url, added);
}

void add_url_credentials(Headers& headers, const Url& url) {
  const std::string* const authorization = headers.find("Authorization");
  if (authorization != nullptr && !authorization->empty()) return;
  const std::string credentials = basic_credentials(url);
  if (!credentials.empty()) headers.set("Authorization", basic_authorization(credentials));
}

}  // namespace

Outgoing::Outgoing(const Inputs& inputs, const par::Connection& connection, const Settings& settings)
    : verb(inputs.verb), any_certificate(inputs.any_certificate) {
  headers = prepare("The request headers are not valid", [&] {
    refuse_forbidden_headers(inputs);
    return assemble_headers(inputs, connection);
  });
  const Url parts = prepare("The request URL is not valid", [&] { return Url::parse(inputs.url); });
  if (!connection.base_url().empty()) require_same_host(parts, render(connection.base_url(), connection));
  url = prepare("The request URL could not be built", [&] {
    add_url_credentials(headers, parts);
    return full_url(parts, inputs, connection);
  });
  body = prepare("The request body could not be built", [&] {
    return make_body(inputs, connection, exact_content_type(headers), settings.strict_upstream);
  });
  Form form = prepare("The request form could not be built",
                      [&] { return make_form(inputs, connection, settings.strict_upstream); });
  if (!form.bytes.empty()) {
    if (body.present()) {
      throw par::Error(
          "a request can have a body or a form, not both: remove body or formData, or the connection's body");
    }
    headers.set("Content-Type", form.content_type);
    body = Body::of(std::move(form.bytes));
  }
  prepare("The request could not be created", [&] {
    if (!is_token(verb))
      throw par::Error("verb is not an HTTP method: use GET, HEAD, POST, PUT, PATCH or DELETE");
    return 0;
  });
  identity = ClientIdentity::of(connection);
}

par::HttpResponse Outgoing::send(bool follow_redirects, uint64_t max_body_bytes, par::Call& call) const {
  // The redactor knows the credentials, but not what Basic makes of them.
  constexpr std::string_view k_basic = "Basic ";
  const std::string* const authorization = headers.find("Authorization");
  if (authorization != nullptr && starts_with_ignoring_case(*authorization, k_basic))
    call.secret(std::string_view(*authorization).substr(k_basic.size()));

  par::HttpRequest request = call.http().request(verb, url);
  for (const auto& [name, value] : headers.list()) request.header(name, value);
  if (body.present()) request.body(body.bytes());
  request.follow_redirects(follow_redirects)
      .verify_certificate(!any_certificate)
      .ca(identity.ca)
      .client_certificate(identity.certificate, identity.key)
      .max_body(max_body_bytes);
  try {
    return request.send();
  } catch (const par::Error& error) {
    if (error.status() == PAR_POLICY) throw;  // The operator's decision may be shown.
    // A request that the host finds malformed came from the inputs: no defect of this plugin.
    const bool malformed = error.status() == PAR_INVALID;
    throw par::Error(malformed ? PAR_ERROR : error.status(), error.message(),
                     malformed ? "The request could not be created" : "The HTTP request failed");
  }
}

}  // namespace http_plugin
