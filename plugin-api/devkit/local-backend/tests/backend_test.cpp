#include "plugin-api/devkit/local-backend/backend.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>

#include "core/base/encoding.hpp"
#include "core/base/json.hpp"
#include "core/verify/wire/remote_config.pb.h"
#include "plugin-api/devkit/local-backend/tests/es256.hpp"
#include "tests/catch.hpp"

using namespace par::backend;
namespace core = par::core;
namespace json = par::json;

namespace {

constexpr const char* k_dequeue = "/api/v2/on-prem-management-service/workflow-tasks/dequeue";
constexpr const char* k_publish = "/api/v2/on-prem-management-service/workflow-tasks/publish-task-update";
constexpr const char* k_heartbeat = "/api/v2/on-prem-management-service/workflow-tasks/heartbeat";
constexpr const char* k_health = "/api/v2/on-prem-management-service/runner/health-check";

std::filesystem::path temporary_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "par-local-backend-XXXXXX").native();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  return name;
}

// Both sides over plain HTTP on a thread of their own.
class Running {
 public:
  Running()
      : directory_(temporary_directory()), backend_(loop_, directory_, open_state(directory_, {}).value()) {
    REQUIRE(backend_.save());
    runner_ = Server::listen(loop_, 0, false, std::nullopt, runner_face(backend_)).value();
    control_ = Server::listen(loop_, 0, false, std::nullopt, control_face(backend_, "secret")).value();
    backend_.runner_server = runner_.get();
    key_ = backend_.state.runner_key;
    org_id_ = backend_.state.org_id;
    runner_id_ = backend_.state.runner_id;
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Running() {
    loop_.stop();
    thread_.join();
    std::filesystem::remove_all(directory_);
  }

  std::string token() const {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    return par::test::compact_jws(key_, R"({"alg":"ES256","cty":"JWT","typ":"JWT"})",
                                  fmt::format(R"({{"exp":{},"iat":{},"orgId":{},"runnerId":"{}"}})", now + 60,
                                              now, org_id_, runner_id_));
  }

  httplib::Result ask(const std::string& method, const std::string& path, const std::string& body = "",
                      std::optional<std::string> token_text = std::nullopt) const {
    httplib::Client client("127.0.0.1", runner_->port());
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.set_header("X-Datadog-OnPrem-JWT", token_text.value_or(token()));
    request.set_header("DD-PAR-JWT", token_text.value_or(token()));
    return client.send(request);
  }

  json::Document control(const std::string& method, const std::string& path, const std::string& body = "",
                         int expected = 200) const {
    httplib::Client client("127.0.0.1", control_->port());
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.set_header("Authorization", "Bearer secret");
    const auto result = client.send(request);
    REQUIRE(result);
    CAPTURE(result->body);
    CHECK(result->status == expected);
    return core::parse_json(result->body).value();
  }

  // Takes a task; its job id.
  std::string take() const {
    const auto result = ask("POST", k_dequeue);
    REQUIRE(result);
    const auto document = core::parse_json(result->body).value();
    return std::string(json::text(document["data"]["attributes"]["job_id"]));
  }

  const std::filesystem::path& directory() const { return directory_; }
  uint16_t control_port() const { return control_->port(); }

 private:
  std::filesystem::path directory_;
  Loop loop_;
  Backend backend_;
  std::unique_ptr<Server> runner_;
  std::unique_ptr<Server> control_;
  Key key_;
  int64_t org_id_ = 0;
  std::string runner_id_;
  std::thread thread_;
};

std::string publish_body(const std::string& task, const std::string& job,
                         const std::string& verb = "succeed_task") {
  return fmt::format(
      R"({{"data":{{"type":"taskUpdate","id":"{}","attributes":{{"task_id":"{}","client":1,"action_fqn":"a.b","job_id":"{}","payload":{{"branch":"main","outputs":{{"n":1.0}}}}}}}}}})",
      verb, task, job);
}

std::string heartbeat_body(const std::string& task, const std::string& job) {
  return fmt::format(
      R"({{"data":{{"type":"heartbeat","id":"{0}","attributes":{{"task_id":"{0}","client":1,"action_fqn":"a.b","job_id":"{1}"}}}}}})",
      task, job);
}

}  // namespace

TEST_CASE("a task goes out once and its outcome comes back") {
  Running backend;
  const auto empty = backend.ask("POST", k_dequeue, R"({"data":{"type":"dequeue","attributes":{}}})");
  REQUIRE(empty);
  CHECK(empty->status == 200);
  CHECK(empty->body.empty());

  backend.control("POST", "/tasks", R"({"action":"a.b","task_id":"t 1"})");
  const std::string job = backend.take();
  CHECK(backend.ask("POST", k_dequeue)->body.empty());
  CHECK(backend.ask("POST", k_heartbeat, heartbeat_body("t 1", job))->status == 200);
  CHECK(backend.ask("POST", k_heartbeat, heartbeat_body("t 1", "job-x"))->status == 404);
  CHECK(backend.ask("POST", k_publish, publish_body("t 1", "job-x"))->status == 404);
  CHECK(backend.ask("POST", k_publish, publish_body("t 1", job, "done"))->status == 400);
  CHECK(backend.ask("POST", k_publish, publish_body("t 1", job))->status == 200);
  CHECK(backend.ask("POST", k_publish, publish_body("t 1", job))->status == 409);
  CHECK(backend.ask("POST", k_heartbeat, heartbeat_body("t 1", job))->status == 404);

  const auto statistics = backend.control("GET", "/statistics");
  CHECK(statistics["delivered"].GetInt() == 1);
  CHECK(statistics["published"].GetInt() == 1);
  CHECK(statistics["heartbeats"].GetInt() == 1);
  CHECK(statistics["rejected_publishes"].GetInt() == 3);
  const auto events = backend.control("GET", "/events?kind=publish");
  REQUIRE(events["events"].Size() == 4);
  CHECK(events["events"][2]["status"].GetInt() == 200);
  CHECK(json::text(events["events"][2]["job_id"]) == job);
}

TEST_CASE("whoever waits for a task is told at once") {
  Running backend;
  const bool other_id = GENERATE(false, true);  // the runner answers to the id outside of the signed part
  const auto added =
      backend.control("POST", "/tasks",
                      other_id ? R"({"action":"a.b","count":3,"overrides":{"outer_task_id":"another"}})"
                               : R"({"action":"a.b","count":3})");
  REQUIRE(added["task_ids"].Size() == 3);
  const std::string id(json::text(added["task_ids"][0]));
  CHECK(json::text(backend.control("GET", "/tasks/" + id)["state"]) == "queued");
  const std::string job = backend.take();
  std::thread publisher([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    backend.ask("POST", k_publish, publish_body(other_id ? "another" : id, job));
  });
  const auto task = backend.control("GET", "/tasks/" + id + "?timeout_ms=60000");
  publisher.join();
  CHECK(json::text(task["state"]) == "succeeded");
  CHECK(json::write(task["outcome"]["outputs"]) == R"({"n":1})");
  backend.control("GET", "/tasks/nobody", "", 404);
}

TEST_CASE("requests without a proper token or method are refused") {
  Running backend;
  CHECK(backend.ask("POST", k_dequeue, "", "")->status == 401);
  CHECK(backend.ask("POST", k_dequeue, "", "a.b.c")->status == 401);
  CHECK(backend.ask("GET", k_dequeue)->status == 405);
  CHECK(backend.ask("POST", k_health)->status == 405);
  CHECK(backend.ask("GET", "/nothing")->status == 404);
  const auto health = backend.ask("GET", std::string(k_health) + "?runnerVersion=1.21.0");
  CHECK(health->status == 200);
  CHECK(core::parse_rfc3339(health->get_header_value("X-Server-Time")));
  CHECK(backend.control("GET", "/statistics")["unauthorized"].GetInt() == 2);
}

TEST_CASE("the control side wants its own token") {
  Running backend;
  httplib::Client client("127.0.0.1", backend.control_port());
  CHECK(client.Get("/statistics")->status == 401);
  CHECK(client.Get("/statistics", httplib::Headers{{"Authorization", "Bearer wrong"}})->status == 401);
  backend.control("GET", "/nothing", "", 404);
  backend.control("POST", "/tasks", "{", 400);
}

TEST_CASE("faults strike as often as they should and leave the queue alone") {
  Running backend;
  backend.control("POST", "/tasks", R"({"action":"a.b"})");
  backend.control("POST", "/faults",
                  R"({"route":"dequeue","status":503,"times":2,"skip":1,"retry_after_ms":7})");
  backend.control("POST", "/faults", R"({"route":"heartbeat","reset":true,"times":1})");
  CHECK(backend.ask("POST", k_dequeue)->status == 200);  // takes the task
  const auto failed = backend.ask("POST", k_dequeue);
  CHECK(failed->status == 503);
  CHECK(failed->get_header_value("X-Retry-After-Ms") == "7");
  CHECK(backend.ask("POST", k_dequeue)->status == 503);
  CHECK(backend.ask("POST", k_dequeue)->status == 200);
  CHECK_FALSE(backend.ask("POST", k_heartbeat, "{}"));
  CHECK(backend.ask("POST", k_heartbeat, "{}")->status == 400);
  CHECK(backend.control("GET", "/statistics")["faults"].GetInt() == 3);

  SECTION("a lost answer can take effect") {
    backend.control("POST", "/tasks", R"({"action":"a.b","task_id":"t"})");
    const std::string job = backend.take();
    backend.control("POST", "/faults", R"({"route":"publish","close":true,"times":1,"process":true})");
    CHECK_FALSE(backend.ask("POST", k_publish, publish_body("t", job)));
    CHECK(json::text(backend.control("GET", "/tasks/t")["state"]) == "succeeded");
  }
  SECTION("truncated and dripped answers") {
    backend.control("POST", "/faults", R"({"route":"health_check","truncate":5,"times":1})");
    CHECK_FALSE(backend.ask("GET", k_health));
    backend.control("POST", "/faults", R"({"route":"health_check","drip_ms":1,"times":1})");
    CHECK(backend.ask("GET", k_health)->body.find("healthCheckResponse") != std::string::npos);
  }
  SECTION("other bodies") {
    backend.control("POST", "/faults", R"({"route":"*","oversize":100000,"times":1})");
    CHECK(backend.ask("POST", k_dequeue)->body.size() == 100000);
    backend.control("POST", "/faults", R"({"route":"*","redirect":"http://127.0.0.1:1/","times":1})");
    CHECK(backend.ask("POST", k_dequeue)->status == 307);
    backend.control("POST", "/faults", R"({"route":"*","body":"{\"data\":","times":1})");
    CHECK(backend.ask("POST", k_dequeue)->body == "{\"data\":");
  }
  SECTION("mistakes are told") {
    backend.control("POST", "/faults", R"({"route":"deqeue","status":500})", 400);
    backend.control("POST", "/faults", R"({"route":"dequeue"})", 400);
    backend.control("POST", "/faults", R"({"statu":500})", 400);
    backend.control("DELETE", "/faults/99", "", 404);
  }
}

TEST_CASE("a forgotten job gets 404 for its heartbeats") {
  Running backend;
  backend.control("POST", "/tasks", R"({"action":"a.b","task_id":"t"})");
  const std::string job = backend.take();
  backend.control("POST", "/tasks/t/forget");
  CHECK(backend.ask("POST", k_heartbeat, heartbeat_body("t", job))->status == 404);
  CHECK(backend.ask("POST", k_publish, publish_body("t", job))->status == 409);
}

TEST_CASE("keys appear in the directory and in Remote Config, and go again") {
  Running backend;
  const auto files = [&] {
    par::wire::LatestConfigsResponse response;
    const auto result = backend.ask("POST", "/api/v0.1/configurations");
    REQUIRE(result);
    REQUIRE(response.ParseFromString(result->body));
    return response.target_files_size();
  };
  const auto key_files = [&] {
    return std::distance(std::filesystem::directory_iterator(backend.directory() / "keys"), {});
  };
  CHECK(files() == 1);
  CHECK(key_files() == 1);
  backend.control("PUT", "/keys/key-2", R"({"type":"rsa","signing":true})");
  CHECK(files() == 2);
  CHECK(key_files() == 2);
  backend.control("DELETE", "/keys/key-1");
  CHECK(files() == 1);
  CHECK(key_files() == 1);
  CHECK(json::text(backend.control("POST", "/keys/rotate")["id"]) == "key-3");
  CHECK(key_files() == 1);
  backend.control("PUT", "/keys/..", "{}", 400);
  backend.control("PUT", "/remote-config", R"({"damage":"rollback","role":"snapshot"})");
  backend.control("PUT", "/remote-config", R"({"damage":"typo"})", 400);
  CHECK(backend.control("POST", "/remote-config/rotate-root")["root_version"].GetInt() == 2);

  const auto reopened = open_state(backend.directory(), {});
  REQUIRE(reopened);
  CHECK(reopened->keys.signing_id() == "key-3");
  CHECK(reopened->tuf.roots().size() == 2);
  CHECK_FALSE(open_state(backend.directory(), {7, std::nullopt}));
}

TEST_CASE("answers come late when asked to, many at once") {
  Running backend;
  backend.control("PUT", "/delays", R"({"dequeue":300})");
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 20; ++i)
    clients.emplace_back([&] { answered += backend.ask("POST", k_dequeue) ? 1 : 0; });
  for (auto& client : clients) client.join();
  CHECK(answered == 20);
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(300));
  CHECK(backend.control("GET", "/statistics")["most_concurrent_dequeues"].GetInt() > 1);
}
