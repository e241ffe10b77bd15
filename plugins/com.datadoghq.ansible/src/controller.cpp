#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include "controller_api.hpp"
#include "modes.hpp"
#include "plugins/common/encoding.hpp"

namespace ansible_plugin {
namespace {

constexpr size_t k_reported_output = 1u << 20;
constexpr int k_max_failed_polls = 5;  // in a row
constexpr int k_max_pages = 100;

std::string text_of(const par::json::Value& object, std::string_view name) {
  const auto* const value = par::json::find(object, name);
  return value != nullptr && value->IsString() ? std::string(par::json::text(*value)) : std::string();
}

std::optional<int64_t> integer_of(const par::json::Value& object, std::string_view name) {
  const auto* const value = par::json::find(object, name);
  return value != nullptr && value->IsInt64() ? std::optional(value->GetInt64()) : std::nullopt;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool has_ended(const std::string& status) {
  return status == "successful" || status == "failed" || status == "error" || status == "canceled";
}

class ControllerRun {
 public:
  ControllerRun(const Inputs& inputs, const par::Connection& connection, par::Call& call)
      : inputs_(inputs), call_(call), api_(connection, call) {}

  Report run() {
    const std::string job_template = id_of("job_templates", inputs_.playbook, "playbook", "job template");
    const par::json::Document launched =
        api_.post("/job_templates/" + job_template + "/launch/", launch_body());
    const auto id = integer_of(launched, "id") ? integer_of(launched, "id") : integer_of(launched, "job");
    if (!id)
      throw par::Error("the controller's answer to the launch of job template " + job_template +
                       " has no job number");
    report_.mode = "controller";
    report_.job_id = std::to_string(*id);
    report_.url = api_.base_url() + "/#/jobs/playbook/" + report_.job_id + "/";
    take_over(launched);
    const auto* const ignored = par::json::find(launched, "ignored_fields");
    report_.ignored_fields_json =
        ignored != nullptr && ignored->IsObject() ? par::json::write(*ignored) : "{}";
    if (!inputs_.wait.value_or(true)) return std::move(report_);
    wait_for_end();
    add_details();
    if (report_.status != "successful") {
      const std::string hosts = report_.hosts ? failed_hosts(*report_.hosts) : std::string();
      throw par::Error("job " + report_.job_id + " ended as " + report_.status +
                       (hosts.empty() ? "" : ": " + hosts) + " (" + report_.url + ")");
    }
    return std::move(report_);
  }

 private:
  // A number is an id, anything else the name of exactly one object.
  std::string id_of(std::string_view collection, const std::string& name, std::string_view input,
                    std::string_view what) {
    if (is_number(name)) return name;
    std::string path = "/" + std::string(collection) + "/?name=";
    plugin_common::append_form_encoded(path, name);
    const par::json::Document answer = api_.get(path);
    const auto* const results = par::json::find(answer, "results");
    const size_t count = results != nullptr && results->IsArray() ? results->Size() : 0;
    const std::string found = std::string(input) + " \"" + name + "\": the controller has ";
    if (count == 0)
      throw par::Error(found + "no " + std::string(what) + " of that name that this user may see");
    if (count > 1) {
      std::string ids;
      for (const auto& result : results->GetArray())
        ids += (ids.empty() ? "" : ", ") + std::to_string(integer_of(result, "id").value_or(0));
      throw par::Error(found + "several of that name; give one of their ids: " + ids);
    }
    const auto id = integer_of((*results)[0], "id");
    if (!id) throw par::Error(found + "one of that name, without an id");
    return std::to_string(*id);
  }

  std::string launch_body() {
    rapidjson::StringBuffer buffer;
    par::json::Writer writer(buffer);
    writer.StartObject();
    const auto text = [&](std::string_view name, const std::string& value) {
      if (value.empty()) return;
      writer.Key(name);
      writer.String(value);
    };
    if (inputs_.extra_vars != nullptr) text("extra_vars", par::json::write(*inputs_.extra_vars));
    text("limit", inputs_.limit);
    if (!inputs_.inventory.empty()) {
      writer.Key("inventory");
      writer.Int64(std::stoll(id_of("inventories", inputs_.inventory, "inventory", "inventory")));
    }
    text("job_tags", comma_joined(inputs_.tags));
    text("skip_tags", comma_joined(inputs_.skip_tags));
    if (inputs_.check) text("job_type", "check");
    if (inputs_.verbosity > 0) {
      writer.Key("verbosity");
      writer.Int(inputs_.verbosity);
    }
    writer.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
  }

  void take_over(const par::json::Value& job) {
    report_.status = text_of(job, "status");
    report_.started_at = text_of(job, "started");
    report_.finished_at = text_of(job, "finished");
    const auto* const elapsed = par::json::find(job, "elapsed");
    if (has_ended(report_.status) && elapsed != nullptr && elapsed->IsNumber())
      report_.duration_ms = std::llround(elapsed->GetDouble() * 1000);
  }

  void wait_for_end() {
    int failed_polls = 0;
    try {
      while (!has_ended(report_.status)) {
        call_.wait(std::chrono::seconds(inputs_.poll_interval_seconds));
        try {
          take_over(api_.get("/jobs/" + report_.job_id + "/"));
          failed_polls = 0;
        } catch (const par::Error& error) {
          call_.check();
          if (!may_pass(error) || ++failed_polls == k_max_failed_polls) throw;
        }
      }
    } catch (const par::Error& error) {
      const bool ended = error.status() == PAR_CANCELLED;
      throw par::Error(error.status(), "job " + report_.job_id + " was " + report_.status +
                                           " when it was last seen and goes on without this task (" +
                                           report_.url + ")" + (ended ? "" : ": " + error.message()));
    }
  }

  // What is known beyond the job itself. The run is over: what cannot be read is left out.
  void add_details() {
    const std::string job = "/jobs/" + report_.job_id;
    try {
      report_.output =
          api_.get_tail(job + "/stdout/?format=txt_download", k_reported_output, report_.output_truncated);
    } catch (const par::Error& error) {
      call_.check();
      call_.log(par::LogLevel::warn,
                "the output of job " + report_.job_id + " cannot be read: " + error.message());
    }
    try {
      report_.hosts = host_summaries(job + "/job_host_summaries/?page_size=200");
    } catch (const par::Error& error) {
      call_.check();
      call_.log(par::LogLevel::warn,
                "the hosts of job " + report_.job_id + " cannot be read: " + error.message());
    }
  }

  Hosts host_summaries(std::string path) {
    Hosts hosts;
    for (int page = 0; !path.empty() && page < k_max_pages; ++page) {
      const par::json::Document answer = api_.get(path);
      const auto* const results = par::json::find(answer, "results");
      if (results == nullptr || !results->IsArray()) throw par::Error("the list of hosts has no results");
      for (const auto& host : results->GetArray()) {
        const auto count = [&](std::string_view name) { return integer_of(host, name).value_or(0); };
        hosts.emplace(text_of(host, "host_name"), HostStats{count("ok"), count("changed"), count("failures"),
                                                            count("dark"), count("skipped")});
      }
      path = text_of(answer, "next");
      if (!path.empty() && !path.starts_with('/'))
        throw par::Error("the next page of the list of hosts is at another place");
    }
    return hosts;
  }

  const Inputs& inputs_;
  par::Call& call_;
  ControllerApi api_;
  Report report_;
};

}  // namespace

Report run_on_controller(const Inputs& inputs, const par::Connection& connection, par::Call& call) {
  return ControllerRun(inputs, connection, call).run();
}

}  // namespace ansible_plugin
