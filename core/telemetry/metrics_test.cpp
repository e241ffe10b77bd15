#include "core/telemetry/metrics.hpp"

#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/base/files.hpp"
#include "core/base/strings.hpp"
#include "core/telemetry/prometheus.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

constexpr Metrics::Execution k_request{"com.datadoghq.http.request", "WORKFLOWS"};

bool has_line(const std::string& text, std::string_view line) {
  for (const std::string_view one : split(text, '\n')) {
    if (one == line) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("without executions only what is always known is told") {
  const Metrics metrics({true, {}, {}});
  const std::string text = metrics.prometheus({false, 10, "1.2.3"});
  CHECK(has_line(text, "par_runner_info{version=\"1.2.3\"} 1"));
  CHECK(has_line(text, "par_runner_ready 0"));
  CHECK(has_line(text, "par_runner_slots 10"));
  CHECK(text.find("executions_started") == std::string::npos);
  CHECK(text.find("startup_latency") == std::string::npos);
  CHECK(text.ends_with('\n'));
}

TEST_CASE("executions are counted by action and client, with their times in buckets") {
  Metrics metrics({true, {}, {}});
  for (int i = 0; i < 3; ++i) metrics.execution_started(k_request);
  metrics.execution_completed(k_request, true, Milliseconds(10));
  metrics.execution_completed(k_request, false, Milliseconds(400'000));
  metrics.task_refused(2);
  metrics.keys_arrived(Milliseconds(1500));
  const std::string text = metrics.prometheus({true, 1, "1"});
  CHECK(has_line(text, "par_runner_running_executions 1"));
  CHECK(has_line(text,
                 "par_runner_executions_started_total{action_fqn=\"com.datadoghq.http.request\","
                 "action_client=\"WORKFLOWS\"} 3"));
  const auto duration = [](std::string_view suffix, std::string_view result, std::string_view more = "") {
    return "par_runner_execution_duration_seconds" + std::string(suffix) +
           "{action_fqn=\"com.datadoghq.http.request\",action_client=\"WORKFLOWS\",execution_result=\"" +
           std::string(result) + "\"" + std::string(more) + "}";
  };
  CHECK(has_line(text, duration("_bucket", "success", ",le=\"0.01\"") + " 1"));
  CHECK(has_line(text, duration("_bucket", "success", ",le=\"+Inf\"") + " 1"));
  CHECK(has_line(text, duration("_sum", "success") + " 0.01"));
  CHECK(has_line(text, duration("_bucket", "error", ",le=\"300\"") + " 0"));
  CHECK(has_line(text, duration("_bucket", "error", ",le=\"+Inf\"") + " 1"));
  CHECK(has_line(text, duration("_count", "error") + " 1"));
  CHECK(has_line(text, "par_runner_refused_tasks_total{error_code=\"2\"} 1"));
  CHECK(has_line(text, "par_runner_keys_startup_latency_seconds 1.5"));
}

TEST_CASE("DogStatsD is told each event under its exact name") {
  const FileDescriptor agent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(agent.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  socklen_t size = sizeof name;
  REQUIRE(::getsockname(agent.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
  const auto next = [&agent]() -> std::string {
    pollfd wait{agent.get(), POLLIN, 0};
    if (::poll(&wait, 1, 10'000) != 1) return {};
    char buffer[2048];
    return {buffer, static_cast<size_t>(::recv(agent.get(), buffer, sizeof buffer, 0))};
  };

  Metrics metrics({false,
                   DogStatsdAddress{"127.0.0.1", ntohs(name.sin_port), {}},
                   {"runner_id:r", "pull:true", "team:a,b|c#d\ne"}});
  metrics.execution_started(k_request);
  const std::string common = ",runner_id:r,pull:true,team:a_b_c_d_e";
  const std::string execution = "|#action_client:WORKFLOWS,action_fqn:com.datadoghq.http.request";
  CHECK(next() == "datadog.actions.private_runner.executions.started:1|c" + execution + common);
  metrics.execution_completed(k_request, false, Milliseconds(1234));
  CHECK(next() == "datadog.actions.private_runner.executions.completed:1|c" + execution +
                      ",execution_result:error" + common +
                      "\ndatadog.actions.private_runner.executions.latency:1234|ms" + execution +
                      ",execution_result:error" + common);
  metrics.execution_completed(k_request, true, Milliseconds(1));
  CHECK(next().find("execution_result:success") != std::string::npos);
  metrics.keys_arrived(Milliseconds(7));
  CHECK(next() ==
        "datadog.actions.private_runner.keys_manager.startup_latency:7|ms|#runner_id:r,pull:true,team:a_b_c_"
        "d_e");
  // Nobody asks for text, so nothing is kept.
  CHECK(metrics.prometheus({true, 1, "1"}).find("executions_started") == std::string::npos);
}

TEST_CASE("threads may count at once") {
  Metrics metrics({true, {}, {}});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 500; ++n) {
        metrics.execution_started(k_request);
        metrics.execution_completed(k_request, true, Milliseconds(1));
        if (n % 100 == 0) metrics.prometheus({true, 1, "1"});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(metrics.prometheus({true, 1, "1"}).find("action_client=\"WORKFLOWS\"} 2000\n") != std::string::npos);
}

TEST_CASE("label values are escaped") {
  PrometheusText text;
  text.family("a", "gauge", "Help.");
  text.sample("a", {{"x", "say \"hi\" \\\n"}}, 0.5);
  CHECK(text.text() == "# HELP a Help.\n# TYPE a gauge\na{x=\"say \\\"hi\\\" \\\\\\n\"} 0.5\n");
}
