#include "controller_api.hpp"

#include <vector>

#include "plugins/common/encoding.hpp"
#include "plugins/common/error_body.hpp"
#include "report.hpp"

namespace ansible_plugin {
namespace {

constexpr size_t k_max_answer = 8u << 20;
constexpr size_t k_read_error = 64u << 10;
constexpr size_t k_shown_answer = 500;

// An HTTP status that is no success.
class StatusError : public par::Error {
 public:
  StatusError(int status, std::string message) : Error(std::move(message)), http_status(status) {}
  int http_status;
};

std::string shortened(std::string_view text) {
  return std::string(text.substr(0, plugin_common::utf8_prefix(text, k_shown_answer)));
}

// What the controller says of its refusal: {"detail": ...}, or fields with lists of texts.
std::string explanation(const std::string& body) {
  par::json::Document answer;
  std::string error;
  if (!par::json::parse(body, answer, error)) return shortened(body);
  const auto* const detail = par::json::find(answer, "detail");
  if (detail != nullptr && detail->IsString()) return shortened(par::json::text(*detail));
  return shortened(body);
}

par::json::Document parsed(par::HttpResponse response, std::string_view path) {
  par::json::Document answer;
  std::string error;
  if (!par::json::parse(response.read_all(k_max_answer), answer, error) || !answer.IsObject()) {
    throw par::Error("the controller's answer to " + std::string(path) + " is not a JSON object" +
                     (error.empty() ? error : ": " + error) +
                     "; check baseURL and apiPrefix of the connection");
  }
  return answer;
}

}  // namespace

ControllerApi::ControllerApi(const par::Connection& connection, par::Call& call)
    : call_(call), base_url_(connection.require("baseURL")), prefix_("/api/v2") {
  if (!base_url_.starts_with("https://") && !base_url_.starts_with("http://")) {
    throw par::Error("the token \"baseURL\" of the connection is \"" + base_url_ +
                     "\", expected the controller's URL, such as https://awx.example.net");
  }
  while (base_url_.ends_with('/')) base_url_.pop_back();
  if (const auto* const prefix = connection.token("apiPrefix"); prefix != nullptr && !prefix->empty()) {
    prefix_ = *prefix;
    while (prefix_.ends_with('/')) prefix_.pop_back();
    if (!prefix_.starts_with('/')) prefix_.insert(0, "/");
  }
  const auto* const api_token = connection.token("apiToken");
  if (api_token != nullptr && !api_token->empty()) {
    authorization_ = "Bearer " + std::string(*api_token);
    return;
  }
  if (connection.token("username") == nullptr)
    throw par::Error("the connection has neither the token \"apiToken\" nor \"username\" and \"password\"");
  authorization_ = "Basic " + plugin_common::base64(std::string(connection.require("username")) + ":" +
                                                    std::string(connection.require("password")));
  call.secret(authorization_);
}

par::HttpResponse ControllerApi::send(std::string_view method, std::string_view path, std::string_view accept,
                                      const std::string* body) const {
  const std::string target =
      path.starts_with(prefix_ + "/") ? std::string(path) : prefix_ + std::string(path);
  par::HttpRequest request = call_.http().request(method, base_url_ + target);
  request.header("Accept", accept).header("Authorization", authorization_);
  if (body != nullptr) request.header("Content-Type", "application/json").body(*body);
  par::HttpResponse response = request.send();
  const int status = response.status();
  if (status >= 200 && status <= 299) return response;
  throw StatusError(status, "the controller answered HTTP status " + std::to_string(status) + " to " +
                                std::string(method) + " " + target.substr(0, target.find('?')) + ": " +
                                explanation(plugin_common::error_body(response, k_read_error)));
}

par::json::Document ControllerApi::get(std::string_view path) const {
  return parsed(send("GET", path, "application/json", nullptr), path);
}

par::json::Document ControllerApi::post(std::string_view path, const std::string& body) const {
  return parsed(send("POST", path, "application/json", &body), path);
}

std::string ControllerApi::get_tail(std::string_view path, size_t limit, bool& truncated) const {
  par::HttpResponse response = send("GET", path, "text/plain, */*", nullptr);
  std::string kept;
  truncated = false;
  std::vector<char> buffer(64u << 10);
  for (;;) {
    const size_t got = response.read(buffer.data(), buffer.size());
    if (got == 0) break;
    kept.append(buffer.data(), got);
    if (kept.size() > 2 * limit) {
      kept.erase(0, kept.size() - limit);
      truncated = true;
    }
  }
  const std::string_view end = tail(kept, limit);
  truncated = truncated || end.size() < kept.size();
  return std::string(end);
}

bool may_pass(const par::Error& error) {
  if (const auto* const status = dynamic_cast<const StatusError*>(&error))
    return status->http_status == 429 || status->http_status >= 500;
  return error.status() == PAR_CONNECT || error.status() == PAR_RESOLVE || error.status() == PAR_DEADLINE ||
         error.status() == PAR_PROTOCOL;
}

}  // namespace ansible_plugin
