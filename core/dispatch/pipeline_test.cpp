#include "core/dispatch/pipeline.hpp"

#include <fcntl.h>

#include "core/base/files.hpp"
#include "core/config/test_directory.hpp"
#include "core/credentials/connection.hpp"
#include "core/identity/identity.hpp"
#include "core/plugin/catalog.hpp"
#include "core/telemetry/log.hpp"
#include "core/verify/keys.hpp"
#include "core/verify/test_keys.hpp"
#include "core/verify/wire/task.pb.h"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;
using namespace par::core::testing;
using namespace std::chrono_literals;

namespace {

constexpr int k_token_auth = 1;

// A pipeline for the plugin com.example.echo, and tasks for it.
struct World {
  World() { keys.add("key-a", VerifyingKey::from_json(Ed25519Signer('a').json()).value()); }

  static wire::PrivateActionTask task(const std::string& action = "echo",
                                      const std::string& bundle = "com.example.echo") {
    wire::PrivateActionTask out;
    out.set_action_name(action);
    out.set_bundle_id(bundle);
    out.set_org_id(4242);
    out.set_task_id("task-1");
    out.set_sec_datadog_header_value("secdd");
    out.mutable_connection_info()->set_runner_id("runner-1");
    const auto expires = std::chrono::system_clock::now() + 1h;
    out.mutable_expiration_time()->set_seconds(
        std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count());
    out.set_client(1);
    return out;
  }

  static RawTask raw(const wire::PrivateActionTask& task, const std::string& job = "job-1",
                     char signer = 'a') {
    const std::string data = task.SerializeAsString();
    RawTask out;
    out.address = {task.task_id(), job, task.bundle_id() + "." + task.action_name(), 1};
    out.has_attributes = true;
    out.envelope = SignedEnvelope{data, 1, {{2, "key-a", Ed25519Signer(signer).sign_digest_of(data)}}};
    return out;
  }

  // Gives the task a secret that is read from a file.
  void use_credentials(wire::PrivateActionTask& task, const std::string& file) const {
    auto& connection = *task.mutable_connection_info();
    connection.set_connection_id("connection-1");
    connection.set_credentials_type(static_cast<wire::CredentialsType>(k_token_auth));
    auto& token = *connection.add_tokens();
    token.add_name_segments("root_tokens");
    token.add_name_segments("token");
    token.mutable_file_secret()->set_path((home.path() / file).string());
  }

  Prepared prepare(RawTask raw) { return pipeline.prepare(std::move(raw), keys); }
  Failure failure(RawTask raw) {
    auto prepared = prepare(std::move(raw));
    REQUIRE(std::holds_alternative<Failure>(prepared));
    return std::get<Failure>(prepared);
  }
  Invocation invocation(RawTask raw) {
    auto prepared = prepare(std::move(raw));
    if (const auto* failure = std::get_if<Failure>(&prepared)) FAIL(failure->message);
    REQUIRE(std::holds_alternative<Invocation>(prepared));
    return std::move(std::get<Invocation>(prepared));
  }

  TestDirectory home;
  TestDirectory plugins;
  std::filesystem::path broken = plugins.write("com.example.broken.so", "no ELF file");
  Redactor redactor;
  FileDescriptor null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Log log{null.get(), LogFormat::json, LogLevel::error, redactor};
  KeySet keys;
  RunnerUrn self{"us1", 4242, "runner-1"};
  ActionsAllowlist allowlist{{"com.example.echo.*", "com.example.absent.run", "com.example.broken.run"}};
  Catalog catalog = Catalog::scan({PAR_TEST_PLUGINS, plugins.path()});
  CredentialResolver credentials{home.path(), redactor, log};
  Pipeline pipeline{self, allowlist, {catalog, credentials, 45s}};
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a task that passes every stage carries all that its plugin needs") {
  World world;
  world.home.write(
      "token.json",
      R"({"auth_type":"Token Auth","credentials":[{"tokenName":"token","tokenValue":"made-up-secret"}]})");
  auto task = World::task("ignore");
  (*task.mutable_inputs()->mutable_fields())["ms"].set_number_value(5);
  world.use_credentials(task, "token.json");
  {
    const Invocation made = world.invocation(World::raw(task));
    CHECK(made.plugin_namespace == "com.example.echo");
    CHECK(made.action == "ignore");
    CHECK(made.task_id == "task-1");
    CHECK(made.inputs_json == R"({"ms":5})");
    CHECK(made.sec_datadog_header == "secdd");
    CHECK(made.writes);
    CHECK(made.time_limit == Milliseconds(45s));
    CHECK(made.frame.prefix == success_frame({"task-1", "job-1", "com.example.echo.ignore", 1}).prefix);
    CHECK(has(std::string(made.connection_json.reveal()), "made-up-secret"));
    CHECK_FALSE(has(world.redactor.redact("it is made-up-secret"), "made-up-secret"));
  }
  // With the invocation its secrets are forgotten.
  CHECK(has(world.redactor.redact("it is made-up-secret"), "made-up-secret"));

  auto reading = World::task("echo");
  (*reading.mutable_inputs()->mutable_fields())["timeout"].set_number_value(7);
  const Invocation limited = world.invocation(World::raw(reading, "job-2"));
  CHECK_FALSE(limited.writes);
  CHECK(limited.time_limit == Milliseconds(7s));
}

TEST_CASE("the earliest stage that refuses a task gives the reason, and no later one looks at it") {
  World world;
  // Wrong in every way; each step mends one thing. A credential file that is missing is noticed last.
  auto task = World::task("nothing", "com.example.forbidden");
  (*task.mutable_inputs()->mutable_fields())["ms"].set_string_value("soon");
  world.use_credentials(task, "absent.json");
  int job = 0;
  const auto refused = [&](ErrorCode code, const std::string& text, char signer = 'a') {
    const Failure failure = world.failure(World::raw(task, "job-" + std::to_string(++job), signer));
    CAPTURE(failure.message);
    CHECK(failure.code == code);
    CHECK(has(failure.message, text));
  };
  refused(ErrorCode::signature_error, "signature", 'b');
  refused(ErrorCode::action_error, "com.example.forbidden.nothing");
  task.set_bundle_id("com.example.absent");
  task.set_action_name("run");
  refused(ErrorCode::internal_error, "com.example.absent.so");
  task.set_bundle_id("com.example.broken");
  refused(ErrorCode::internal_error, "com.example.broken.so cannot be used");
  task.set_bundle_id("com.example.echo");
  refused(ErrorCode::internal_error, "has no action \"run\"");
  task.set_action_name("wait");
  refused(ErrorCode::action_error, "ms");
  (*task.mutable_inputs()->mutable_fields())["ms"].set_number_value(5);
  refused(ErrorCode::internal_error, "absent.json");
  world.home.write(
      "absent.json",
      R"({"auth_type":"Token Auth","credentials":[{"tokenName":"token","tokenValue":"there"}]})");
  CHECK(world.invocation(World::raw(task, "job-last")).action == "wait");
}

TEST_CASE("a missing library names the directories where it was looked for") {
  World world;
  CHECK(
      has(world.failure(World::raw(World::task("run", "com.example.absent"))).message, world.plugins.path()));
}

TEST_CASE("a job is taken on once, whatever became of it, and what is not signed is not remembered") {
  World world;
  const auto good = World::task();
  // Whoever can only forge must not be able to use up the ids of real tasks.
  CHECK(world.failure(World::raw(good, "job-1", 'b')).code == ErrorCode::signature_error);
  world.invocation(World::raw(good, "job-1"));
  CHECK(std::holds_alternative<Duplicate>(world.prepare(World::raw(good, "job-1"))));
  world.invocation(World::raw(good, "job-2"));

  const auto forbidden = World::task("run", "com.example.forbidden");
  CHECK(world.failure(World::raw(forbidden, "job-3")).code == ErrorCode::action_error);
  CHECK(std::holds_alternative<Duplicate>(world.prepare(World::raw(forbidden, "job-3"))));
}
