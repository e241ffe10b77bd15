#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "checksum.hpp"
#include "inputs.hpp"
#include "outgoing.hpp"
#include "probe.hpp"
#include "response.hpp"
#include "settings.hpp"
#include "status.hpp"
#include "text.hpp"

namespace http_plugin {
namespace {

class HttpPlugin {
 public:
  explicit HttpPlugin(const par::Setup& setup) : settings_(Settings::read(setup.settings_json)) {}

  void request(const par::Request& task, par::Call& call) const {
    const Inputs inputs(task.inputs_json());
    exchange(inputs, par::Connection(task.connection_json()), call);
  }

  void test_connection(const par::Request& task, par::Call& call) const {
    const par::Connection connection(task.connection_json());
    const Probe probe = Probe::of(connection);
    Inputs inputs;
    inputs.verb = probe.verb;
    inputs.url = probe.url;
    exchange(inputs, connection, call);
  }

  void get_checksum(const par::Request& task, par::Call& call) const {
    par::json::Document given;
    std::string error;
    if (!par::json::parse(task.inputs_json(), given, error))
      throw par::Error(PAR_INTERNAL, "the inputs are not valid JSON: " + error);
    const auto text = [&given](std::string_view name) {
      const par::json::Value* const value = par::json::find(given, name);
      return value != nullptr && value->IsString() ? par::json::text(*value) : std::string_view();
    };
    Checksum checksum(text("algorithm"));
    digest_text({}, text("digest"));  // refuses an unknown one before anything is sent

    Inputs inputs;
    inputs.url = text("url");
    const par::Connection connection(task.connection_json());
    // The body is never held as a whole, so it may have any size.
    par::HttpResponse response = Outgoing(inputs, connection, settings_).send(true, PAR_HTTP_UNLIMITED, call);
    if (response.status() >= 400)
      throw par::Error(status_error(response.status(), response.reason(), read_start(response)));
    std::vector<char> buffer(64u << 10);
    while (const size_t got = response.read(buffer.data(), buffer.size())) checksum.add({buffer.data(), got});
    std::string result = "{\"checksum\":";
    append_json_string(result, digest_text(checksum.finish(), text("digest")));
    call.result(result + "}");
  }

 private:
  void exchange(const Inputs& inputs, const par::Connection& connection, par::Call& call) const {
    if (!settings_.strict_upstream) {
      // Other runners find these mistakes when the request has had its effect.
      check_entries(inputs.error_on_status);
      if (!inputs.response_encoding.empty()) encoding_named(inputs.response_encoding);
    }
    const bool follow = inputs.follow_redirect || settings_.strict_upstream;
    par::HttpResponse response =
        Outgoing(inputs, connection, settings_).send(follow, settings_.max_response_bytes, call);
    check_status(response.status(), inputs.error_on_status, inputs.follow_redirect);

    std::string body = read_body(response);
    const std::string failure =
        response.status() < 400 ? "" : status_error(response.status(), response.reason(), body);
    const std::string value = convert(std::move(body), response, inputs);
    if (!failure.empty()) throw par::Error(failure);
    publish(response, value, call);
  }

  std::string read_body(par::HttpResponse& response) const {
    try {
      return response.read_all();
    } catch (const par::Error& error) {
      if (error.status() != PAR_LIMIT) throw;
      throw par::Error(PAR_LIMIT, "the response body is larger than " +
                                      std::to_string(settings_.max_response_bytes) +
                                      " bytes; ask the server for less, or raise maxResponseBytes under "
                                      "plugins.com.datadoghq.http in the runner's configuration");
    }
  }

  // Enough of the body for an error text.
  static std::string read_start(par::HttpResponse& response) {
    std::array<char, 1024> buffer{};
    size_t used = 0;
    while (used < buffer.size()) {
      const size_t got = response.read(buffer.data() + used, buffer.size() - used);
      if (got == 0) break;
      used += got;
    }
    return {buffer.data(), used};
  }

  // A body that cannot be converted is reported before a failing status, which the text then names.
  static std::string convert(std::string body, const par::HttpResponse& response, const Inputs& inputs) {
    try {
      return body_json(std::move(body), response.header("content-type").value_or(""), inputs.response_parsing,
                       inputs.response_encoding);
    } catch (const par::Error& error) {
      if (response.status() < 400) throw;
      throw par::Error(error.message() + " (" + status_error(response.status(), response.reason(), {}) + ")");
    }
  }

  static void publish(const par::HttpResponse& response, const std::string& value, par::Call& call) {
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    headers.reserve(response.header_count());
    for (size_t at = 0; at < response.header_count(); ++at)
      headers.emplace_back(response.header(at).name, response.header(at).value);
    try {
      call.result({"{\"status\":", std::to_string(response.status()), ",\"body\":", value,
                   ",\"headers\":", headers_json(headers), "}"});
    } catch (const par::Error& error) {
      if (error.status() != PAR_LIMIT) throw;
      throw par::Error(PAR_LIMIT, error.message() + "; request a smaller part of it");
    }
  }

  Settings settings_;
};

}  // namespace
}  // namespace http_plugin

PAR_PLUGIN(http_plugin::HttpPlugin, {"request", &http_plugin::HttpPlugin::request},
           {"testConnection", &http_plugin::HttpPlugin::test_connection},
           {"getChecksumFromURL", &http_plugin::HttpPlugin::get_checksum});
