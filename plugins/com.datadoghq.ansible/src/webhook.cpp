#include <string>

#include "modes.hpp"
#include "plugins/common/error_body.hpp"

namespace ansible_plugin {
namespace {

constexpr size_t k_shown_answer = 500;

std::string event_of(const Inputs& inputs) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  writer.StartObject();
  const auto text = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    writer.Key(name);
    writer.String(value);
  };
  const auto texts = [&](std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    writer.Key(name);
    writer.StartArray();
    for (const std::string& value : values) writer.String(value);
    writer.EndArray();
  };
  text("playbook", inputs.playbook);
  text("inventory", inputs.inventory);
  text("limit", inputs.limit);
  if (inputs.extra_vars != nullptr) {
    writer.Key("extraVars");
    inputs.extra_vars->Accept(writer);
  }
  texts("tags", inputs.tags);
  texts("skipTags", inputs.skip_tags);
  if (inputs.check) {
    writer.Key("check");
    writer.Bool(true);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

Report send_to_webhook(const Inputs& inputs, const par::Connection& connection, par::Call& call) {
  if (inputs.wait.value_or(false)) {
    throw par::Error(
        "waitForCompletion: a webhook answers before anything runs, so there is nothing to wait for; leave "
        "the "
        "input out, or use a connection to a controller");
  }
  const std::string event = event_of(inputs);
  par::HttpRequest request = call.http().request("POST", connection.require("webhookURL"));
  request.header("Content-Type", "application/json").body(event);
  if (const auto* const token = connection.token("webhookToken"); token != nullptr && !token->empty())
    request.header("Authorization", "Bearer " + std::string(*token));
  par::HttpResponse response = request.send();
  if (response.status() < 200 || response.status() > 299) {
    const std::string body = plugin_common::error_body(response, k_shown_answer);
    throw par::Error("the webhook answered HTTP status " + std::to_string(response.status()) +
                     (response.status() == 401 ? " (check the token webhookToken of the connection)" : "") +
                     (body.empty() ? "" : ": " + body));
  }
  Report report;
  report.mode = "webhook";
  report.status = "accepted";
  return report;
}

}  // namespace ansible_plugin
