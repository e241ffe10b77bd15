#include "plugin-api/devkit/local-backend/control_client.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include "core/base/files.hpp"

namespace par::backend {
namespace {

using core::fail;

constexpr size_t k_largest_endpoint = 64 * 1024;
constexpr time_t k_longest_answer = 700;  // seconds; longer than any wait of the control side

}  // namespace

core::Result<ControlClient> ControlClient::find(const std::filesystem::path& directory) {
  const std::string hint =
      fmt::format("no backend runs in {}; start one with: par-local-backend start --dir {} --background",
                  directory.native(), directory.native());
  const auto text = core::read_file(directory / "endpoint.json", k_largest_endpoint);
  if (!text) return fail(hint);
  const auto document = core::parse_json(*text);
  const json::Value* const url = document ? json::find(*document, "control_url") : nullptr;
  const json::Value* const token = document ? json::find(*document, "control_token") : nullptr;
  const json::Value* const pid = document ? json::find(*document, "pid") : nullptr;
  if (url == nullptr || !url->IsString() || token == nullptr || !token->IsString() || pid == nullptr ||
      !pid->IsInt())
    return fail(
        fmt::format("{}/endpoint.json is damaged; stop the backend and start it again", directory.native()));
  ControlClient client;
  client.url_ = json::text(*url);
  client.token_ = json::text(*token);
  client.pid_ = pid->GetInt();
  if (!client.call("GET", "/status")) return fail(hint);
  return client;
}

core::Result<json::Document> ControlClient::call(const std::string& method, const std::string& target,
                                                 const std::string& body) {
  httplib::Client http(url_);
  http.set_read_timeout(k_longest_answer, 0);
  httplib::Request request;
  request.method = method;
  request.path = target;
  request.body = body;
  request.set_header("Authorization", "Bearer " + token_);
  request.set_header("Content-Type", "application/json");
  const httplib::Result result = http.send(request);
  if (!result) return fail(fmt::format("{} does not answer: {}", url_, httplib::to_string(result.error())));
  auto document = core::parse_json(result->body);
  if (!document) return fail(fmt::format("{} answered {} without JSON", url_, result->status));
  if (result->status != 200) {
    const json::Value* const error = json::find(*document, "error");
    return fail(error != nullptr && error->IsString() ? std::string(json::text(*error))
                                                      : fmt::format("{} answered {}", url_, result->status));
  }
  return document;
}

}  // namespace par::backend
