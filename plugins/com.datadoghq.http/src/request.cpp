#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "body.hpp"
#include "form.hpp"
#include "headers.hpp"
#include "inputs.hpp"
#include "response.hpp"
#include "template.hpp"
#include "text.hpp"
#include "url.hpp"

namespace http_plugin {
namespace {

constexpr uint64_t k_default_max_response = 15u << 20;

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

class HttpPlugin {
 public:
  explicit HttpPlugin(const par::Setup& setup) {
    par::json::Document settings;
    std::string error;
    if (!par::json::parse(setup.settings_json, settings, error)) {
      throw par::Error(PAR_INTERNAL, "the settings are not valid JSON: " + error);
    }
    const auto* const strict = par::json::find(settings, "strictUpstreamBody");
    strict_body_ = strict != nullptr && strict->IsBool() && strict->GetBool();
    const auto* const limit = par::json::find(settings, "maxResponseBytes");
    if (limit != nullptr && limit->IsUint64()) max_response_bytes_ = limit->GetUint64();
  }

  void request(const par::Request& task, par::Call& call) const {
    const Inputs inputs(task.inputs_json());
    const par::Connection connection(task.connection_json());
    par::HttpResponse response = send(inputs, connection, call);
    check_status(inputs, response.status());

    std::string body = read_body(response);
    // Like every other problem of the answer, one with its body is reported before its status.
    const std::string failure =
        response.status() < 400 ? "" : status_error(response.status(), response.reason(), body);
    const std::string value = body_json(std::move(body), response.header("content-type").value_or(""),
                                        inputs.response_parsing, inputs.response_encoding);
    if (!failure.empty()) throw par::Error(failure);

    std::vector<std::pair<std::string_view, std::string_view>> headers;
    headers.reserve(response.header_count());
    for (size_t at = 0; at < response.header_count(); ++at) {
      headers.emplace_back(response.header(at).name, response.header(at).value);
    }
    call.result({"{\"status\":", std::to_string(response.status()), ",\"body\":", value,
                 ",\"headers\":", headers_json(headers), "}"});
  }

 private:
  par::HttpResponse send(const Inputs& inputs, const par::Connection& connection, par::Call& call) const {
    Headers headers = prepare("The request headers are not valid", [&] {
      refuse_forbidden_headers(inputs);
      return assemble_headers(inputs, connection);
    });
    const Url url = prepare("The request URL is not valid", [&] { return Url::parse(inputs.url); });
    if (!connection.base_url().empty()) require_same_host(url, render(connection.base_url(), connection));
    const std::string full_url = prepare("The request URL could not be built", [&] {
      Pairs added(inputs.url_params.begin(), inputs.url_params.end());
      for (const auto& [name, value] : connection.url_parameters())
        added.emplace_back(name, render(value, connection));
      const std::string credentials = basic_credentials(url);
      if (!credentials.empty() && headers.find("Authorization") == nullptr) {
        headers.set("Authorization", basic_authorization(credentials));
      }
      return request_url(url, added);
    });
    const Body body = prepare("The request body could not be built", [&] {
      return make_body(inputs, connection, headers.find("Content-Type"), strict_body_);
    });
    const Form form = prepare("The request form could not be built",
                              [&] { return make_form(inputs, connection, strict_body_); });
    if (!form.bytes.empty()) {
      if (body.present()) throw par::Error("a request can have a body or a form, not both");
      headers.set("Content-Type", form.content_type);
    }
    // The redactor knows the credentials, but not what Basic makes of them.
    const std::string* const authorization = headers.find("Authorization");
    if (authorization != nullptr && starts_with_ignoring_case(*authorization, "Basic "))
      call.secret(*authorization);

    par::HttpRequest request = call.http().request(inputs.verb, full_url);
    for (const auto& [name, value] : headers.list()) request.header(name, value);
    if (body.present()) request.body(body.bytes());
    if (!form.bytes.empty()) request.body(form.bytes);
    request.follow_redirects(inputs.follow_redirect)
        .verify_certificate(!inputs.any_certificate)
        .max_body(max_response_bytes_);
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

  static void check_status(const Inputs& inputs, int status) {
    for (const StatusRange& range : inputs.error_on_status) {
      if (range.holds(status)) {
        throw par::Error("HTTP status " + std::to_string(status) + " is among errorOnStatus (" +
                         inputs.error_on_status_text + ")");
      }
    }
    if (!inputs.follow_redirect && inputs.error_on_status.empty() && status >= 300 && status <= 399) {
      throw par::Error("the server answered with a redirect, HTTP status " + std::to_string(status) +
                       ", and followRedirect is false");
    }
  }

  std::string read_body(par::HttpResponse& response) const {
    try {
      return response.read_all();
    } catch (const par::Error& error) {
      if (error.status() != PAR_LIMIT) throw;
      throw par::Error(PAR_LIMIT,
                       "the response body is larger than " + std::to_string(max_response_bytes_) +
                           " bytes; the limit is the setting maxResponseBytes of com.datadoghq.http");
    }
  }

  bool strict_body_ = false;
  uint64_t max_response_bytes_ = k_default_max_response;
};

}  // namespace
}  // namespace http_plugin

PAR_PLUGIN(http_plugin::HttpPlugin, {"request", &http_plugin::HttpPlugin::request});
