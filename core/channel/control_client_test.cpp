#include "core/channel/control_client.hpp"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/encoding.hpp"
#include "core/identity/identity.hpp"
#include "core/services/http_client.hpp"
#include "core/services/testing/scripted_server.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

// A throw-away key that was never enrolled anywhere.
const std::string k_key = base64url_encode(
    R"({"kty":"EC","crv":"P-256","x":"VWv_iBSRq8sttZIjwRUT0B8O3V_gdGwOyNMLjvQViwE",)"
    R"("y":"B45Daz-qyJLu8BZvyWFjGf3qz4CvSFWhBqf0lJgzHsA","d":"L2irGLHhcBkfeJnhfyUPpB0yFuUCcVIxuvuzWOz7EsQ"})");

struct Fixture {
  explicit Fixture(std::string answer_text)
      : answer(std::move(answer_text)), server([this](Peer& peer) {
          for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
            const std::lock_guard lock(mutex);
            requests.push_back(std::move(request));
            peer.send(answer);
          }
        }) {}

  ControlClient make(Milliseconds timeout = 20s) {
    return {http,
            tokens,
            {*parse_url(server.url("")), "1.21.0", "pull", timeout,
             SystemTime(std::chrono::seconds(1'767'225'600))}};
  }
  Result<ControlAnswer> run(const std::function<void(ControlApi::Answered)>& call) {
    Result<ControlAnswer> result = fail("no answer");
    call([&](Result<ControlAnswer> got) {
      result = std::move(got);
      control.stop();
    });
    control.restart();
    control.run();
    return result;
  }
  std::string last_request() {
    const std::lock_guard lock(mutex);
    return requests.empty() ? std::string() : requests.back();
  }

  std::string answer;
  std::mutex mutex;
  std::vector<std::string> requests;
  ScriptedServer server;
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::error, redactor};
  boost::asio::io_context control;
  HttpClient http{control, *TrustStore::load({}), {}, log};
  RequestTokens tokens{*RunnerUrn::parse("urn:dd:apps:on-prem-runner:us1:4242:runner-1"),
                       *PrivateKey::from_config(k_key)};
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a dequeue carries the protocol's headers and times") {
  Fixture f("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-retry-after-ms: 1500\r\nX-Server-Time: now\r\n\r\n{}");
  ControlClient client = f.make();
  const auto dequeue = [&](ControlApi::Answered answered) { client.dequeue(std::move(answered)); };
  const auto answer = f.run(dequeue);
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "{}");
  CHECK(answer->retry_after == 1500ms);
  CHECK(answer->server_time == "now");
  const std::string request = f.last_request();
  CAPTURE(request);
  CHECK(request.starts_with("POST /api/v2/on-prem-management-service/workflow-tasks/dequeue HTTP/1.1\r\n"));
  for (const char* header :
       {"\r\nAccept: application/json\r\n", "\r\nContent-Type: application/json\r\n",
        "\r\nX-Datadog-OnPrem-Version: 1.21.0\r\n", "\r\nX-Datadog-OnPrem-Modes: pull\r\n",
        "\r\nX-Datadog-OnPrem-Platform: linux\r\n",
        "\r\nX-Datadog-OnPrem-Architecture: ", "\r\nX-Datadog-OnPrem-Flavor: private_action_runner\r\n",
        "\r\nX-Datadog-OnPrem-Containerized: ", "\r\nX-Datadog-OnPrem-JWT: eyJ"}) {
    CAPTURE(header);
    CHECK(contains(request, header));
  }
  CHECK(request.ends_with(
      R"({"data":{"type":"dequeue","attributes":{"runner_started_at":"2026-01-01T00:00:00Z"}}})"));

  client.task_received(SystemTime(std::chrono::seconds(1'767'225'600 + 451)));
  REQUIRE(f.run(dequeue));
  CHECK(f.last_request().ends_with(
      R"("runner_started_at":"2026-01-01T00:00:00Z","last_task_received_at":"2026-01-01T00:07:31Z"}}})"));
}

TEST_CASE("publish and heartbeat post their bodies, the health check is a GET with a query") {
  Fixture f("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ControlClient client = f.make();
  const auto large = std::make_shared<const std::string>(300'000, 'x');
  REQUIRE(f.run([&](auto answered) { client.publish(large, std::move(answered)); }));
  CHECK(contains(f.last_request(),
                 "POST /api/v2/on-prem-management-service/workflow-tasks/publish-task-update "));
  CHECK(f.last_request().ends_with(*large));
  CHECK(large.use_count() == 1);
  REQUIRE(f.run([&](auto answered) { client.heartbeat("beat", std::move(answered)); }));
  CHECK(contains(f.last_request(), "/workflow-tasks/heartbeat HTTP/1.1\r\n"));
  CHECK(f.last_request().ends_with("\r\n\r\nbeat"));
  REQUIRE(f.run([&](auto answered) { client.health_check(std::move(answered)); }));
  CHECK(contains(f.last_request(),
                 "GET /api/v2/on-prem-management-service/runner/health-check?runnerVersion=1.21.0&"
                 "modes=pull&platform=linux&architecture="));
  CHECK(contains(f.last_request(), "\r\nContent-Type: application/json\r\n"));
}

TEST_CASE("redirects are not followed and statuses are passed on") {
  Fixture f("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  ControlClient client = f.make();
  const auto answer = f.run([&](auto answered) { client.heartbeat("{}", std::move(answered)); });
  REQUIRE(answer);
  CHECK(answer->status == 302);
  CHECK(f.requests.size() == 1);
}

TEST_CASE("a silent server costs the request timeout") {
  Fixture f("");
  ControlClient client = f.make(100ms);
  const auto answer = f.run([&](auto answered) { client.dequeue(std::move(answered)); });
  CHECK_FALSE(answer);
}

TEST_CASE("a dequeue that is cancelled is answered with an error") {
  Fixture f("");
  ControlClient client = f.make();
  const auto answer = f.run([&](auto answered) { client.dequeue(std::move(answered))(); });
  CHECK_FALSE(answer);
}
