#include <optional>
#include <string>
#include <vector>

#include <par/json.hpp>

#include "errors.hpp"
#include "operations.hpp"
#include "slices.hpp"

namespace kubernetes {
namespace {

constexpr uint64_t k_most_read = 256u << 10;
constexpr std::string_view k_review =
    R"({"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"})";

struct Findings {
  bool configuration_valid = false;
  bool connection_valid = false;
  std::string user_info = "{}";
  std::string server_info = "{}";
  std::vector<std::string> errors;
};

// The members of an object in JSON, or nothing if it is none.
std::optional<std::vector<Slice>> members_of(const std::string& json) {
  rapidjson::BaseReaderHandler<> ignore;
  std::string error;
  return par::json::parse_events(json, ignore, error) ? slices_of(json) : std::nullopt;
}

std::string ask(Client& client, const ApiRequest& request, const char* question) {
  par::HttpResponse response = client.send(request);
  std::string body = client.read(response, k_most_read);
  if (response.status() >= 200 && response.status() <= 299) {
    if (members_of(body)) return body;
    throw par::Error(std::string(question) + ": the answer of " + client.cluster().server +
                     " is no JSON object");
  }
  throw par::Error(std::string(question) + ": " +
                   failure_text(client.cluster(), std::string(request.method) + " " + request.target,
                                response.status(), body));
}

// Problems are findings; the end of the call is not.
template <typename Step>
bool attempt(const par::Call& call, Findings& findings, Step&& step) {
  try {
    step();
    return true;
  } catch (const par::Error& error) {
    call.check();
    if (error.status() == PAR_DEADLINE || error.status() == PAR_CANCELLED) throw;
    findings.errors.push_back(error.message());
    return false;
  }
}

std::string result_of(const Findings& findings) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  const auto raw = [&](const char* name, const std::string& json) {
    writer.Key(name);
    writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  };
  writer.StartObject();
  writer.Key("configurationValid");
  writer.Bool(findings.configuration_valid);
  writer.Key("connectionValid");
  writer.Bool(findings.connection_valid);
  raw("userInfo", findings.user_info);
  raw("serverInfo", findings.server_info);
  writer.Key("errors");
  writer.StartArray();
  for (const std::string& error : findings.errors) writer.String(error);
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

void run_connection_test(const par::Request& task, par::Call& call, Connections& connections) {
  const par::Connection connection(task.connection_json());
  Findings findings;
  std::optional<Client> client;
  findings.configuration_valid =
      attempt(call, findings, [&] { client.emplace(connections, connection, call); });
  if (client) {
    findings.connection_valid = attempt(call, findings, [&] {
      const std::string review =
          ask(*client, {"POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", k_review},
              "who the runner is");
      const auto status = slices_of(find_slice(*slices_of(review), "status"));
      const std::string_view user = status ? find_slice(*status, "userInfo") : std::string_view();
      if (user.empty()) throw par::Error("who the runner is: the server's answer has no status.userInfo");
      findings.user_info = user;
    });
    // Who may not even ask that gets no further text about the same cause.
    Findings version;
    attempt(call, version, [&] {
      findings.server_info = ask(*client, {"GET", "/version"}, "version of the server");
    });
    if (findings.connection_valid) findings.errors = std::move(version.errors);
  }
  call.result(result_of(findings));
}

}  // namespace kubernetes
