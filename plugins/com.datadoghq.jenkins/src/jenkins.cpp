#include <map>
#include <string>
#include <string_view>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "build_status.hpp"
#include "job_url.hpp"
#include "plugins/common/encoding.hpp"

namespace jenkins_plugin {
namespace {

// What a status usually means on this way; empty if its own name says enough.
std::string_view advice(int status) {
  switch (status) {
    case 401:
      return "; Jenkins does not know this username with this token, check both in the connection";
    case 403:
      return "; the user has no permission for this, or the token is not an API token";
    case 404:
      return "; there is no such job or it was never built, or the user may not see it. A job in a folder is "
             "addressed "
             "as folder/job/name";
    case 409:
      return "; the job is disabled, or it cannot be built now";
    case 400:
      return "; a job with parameters is started with the option with_parameters";
    default:
      return "";
  }
}

// The request without what a workflow put into its query.
std::string described(std::string_view method, std::string_view url) {
  return std::string(method) + " " + std::string(url.substr(0, url.find('?')));
}

[[noreturn]] void fail(const par::HttpResponse& response, std::string_view method, std::string_view url,
                       std::string_view why) {
  throw par::Error("Jenkins answered HTTP status " + std::to_string(response.status()) + " to " +
                   described(method, url) + std::string(why));
}

// One task: its inputs, and its connection ready to send.
class Job {
 public:
  Job(const par::Request& task, par::Call& call) : call_(call) {
    std::string error;
    if (!par::json::parse(task.inputs_json(), inputs_, error))
      throw par::Error(PAR_INTERNAL, "inputs: " + error);
    const par::Connection connection(task.connection_json());
    const std::string_view username = connection.require("username");
    const std::string_view token = connection.require("token");
    if (username.find(':') != std::string_view::npos) {
      throw par::Error(
          "the token \"username\" of the connection contains a colon, which Basic authentication cannot "
          "carry; use the user's id");
    }
    authorization_ = "Basic " + plugin_common::base64(std::string(username) + ":" + std::string(token));
    call.secret(authorization_);
    controller_ = controller_url(connection.require("domain"));
    url_ = job_url(controller_, par::json::text(*par::json::find(inputs_, "jobName")));
  }

  /// The build's parameters; null if it is to be started without.
  const par::json::Value* parameters() const {
    const auto* const build = par::json::find(inputs_, "buildWithParameters");
    const auto* const option = build == nullptr ? nullptr : par::json::find(*build, "option");
    if (option == nullptr || par::json::text(*option) != "with_parameters") return nullptr;
    const auto* const parameters = par::json::find(*build, "parameters");
    static const par::json::Value k_none(rapidjson::kObjectType);
    return parameters == nullptr ? &k_none : parameters;
  }

  // A redirect is followed for a GET only: it would turn any other request into one.
  par::HttpResponse send(std::string_view method, std::string_view path) const {
    const std::string url = url_ + std::string(path);
    par::HttpResponse response = call_.http()
                                     .request(method, url)
                                     .header("Accept", "application/json")
                                     .header("Content-Type", "application/json")
                                     .header("Authorization", authorization_)
                                     .follow_redirects(method == "GET")
                                     .send();
    const int status = response.status();
    if (status >= 200 && status <= 299) return response;
    const std::string location(response.header("location").value_or(""));
    if (status < 300 || status > 399 || location.empty()) fail(response, method, url, advice(status));
    // Jenkins sends on from what is done to the job or its parent.
    if ((status == 302 || status == 303) && leads_to_jobs(controller_, location)) return response;
    fail(response, method, url,
         ", which leads to " + origin_of(controller_, location) +
             "; the request was not repeated there. Is the token \"domain\" of the connection the "
             "controller's own URL, with "
             "https if it has it, and no login page in front?");
  }

 private:
  par::Call& call_;
  par::json::Document inputs_;
  std::string authorization_;
  std::string controller_;
  std::string url_;
};

class JenkinsPlugin {
 public:
  void build(const par::Request& task, par::Call& call) const {
    const Job job(task, call);
    std::string path = "/build?delay=0sec";
    if (const auto* const given = job.parameters()) {
      std::map<std::string, std::string> parameters;
      for (const auto& [name, value] : given->GetObject())
        parameters.emplace(par::json::text(name), par::json::text(value));
      path = "/buildWithParameters?" + build_query(parameters);
    }
    const par::HttpResponse response = job.send("POST", path);
    const auto location = response.header("location");
    if (response.status() != 201 || !location || location->empty()) return call.result("{}");
    std::string url;
    plugin_common::append_json_string(url, plugin_common::to_valid_utf8(std::string(*location)));
    call.result({"{\"queueUrl\":", url, "}"});
  }

  void remove(const par::Request& task, par::Call& call) const {
    Job(task, call).send("DELETE", "/");
    call.result("{}");
  }

  void status(const par::Request& task, par::Call& call) const {
    call.result(build_status(Job(task, call).send("GET", "/lastBuild/api/json").read_all()));
  }
};

}  // namespace
}  // namespace jenkins_plugin

PAR_PLUGIN(jenkins_plugin::JenkinsPlugin, {"buildJenkinsJob", &jenkins_plugin::JenkinsPlugin::build},
           {"deleteJenkinsJob", &jenkins_plugin::JenkinsPlugin::remove},
           {"getJobStatus", &jenkins_plugin::JenkinsPlugin::status});
