#include <stdexcept>

#include "catch.hpp"
#include "fake_host.hpp"

using par::test::FakeHost;

namespace {

// One action per thing to try; `probe` is what the test of the moment wants to run inside an action.
std::function<void(const par::Request&, par::Call&)> probe;
int live_plugins = 0;

class Sample {
 public:
  explicit Sample(const par::Setup& setup) {
    if (setup.settings_json == "{\"bad\":1}") throw par::Error("settings are bad", "see the log");
    setup.host.log(par::LogLevel::info, "opened");
    ++live_plugins;
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  ~Sample() { --live_plugins; }

  void hello(const par::Request& request, par::Call& call) const {
    call.result({R"({"task":")", request.task_id(), R"("})"});
  }
  void run(const par::Request& request, par::Call& call) const { probe(request, call); }
};

PAR_PLUGIN(Sample, {"hello", &Sample::hello}, {"run", &Sample::run});

struct Outcome {
  par_status opened = PAR_OK;
  par_status status = PAR_OK;
};

Outcome execute(FakeHost& fake, std::string_view action,
                std::function<void(const par::Request&, par::Call&)> body = {},
                std::string_view settings = "{}", std::string_view inputs = "{}") {
  probe = std::move(body);
  Outcome outcome;
  const par_plugin* const plugin = par_plugin_v1();
  par_instance* instance = nullptr;
  outcome.opened = plugin->open(&fake.host, par::to_str(settings), &fake.call, &instance);
  if (outcome.opened != PAR_OK) {
    CHECK(instance == nullptr);
    return outcome;
  }
  par_request request{};
  request.struct_size = sizeof request;
  request.task_id = par::to_str("t-1");
  request.action = par::to_str(action);
  request.inputs_json = par::to_str(inputs);
  outcome.status = plugin->execute(instance, &request, &fake.call);
  plugin->close(instance);
  CHECK(live_plugins == 0);
  CHECK(fake.open_objects == 0);
  return outcome;
}

par_status run(FakeHost& fake, std::function<void(const par::Request&, par::Call&)> body) {
  return execute(fake, "run", std::move(body)).status;
}

}  // namespace

TEST_CASE("the entry returns one complete static table") {
  const par_plugin* const plugin = par_plugin_v1();
  CHECK(plugin == par_plugin_v1());
  CHECK(plugin->magic == PAR_MAGIC);
  CHECK(plugin->struct_size == sizeof(par_plugin));
  CHECK(plugin->abi_major == PAR_ABI_MAJOR);
  CHECK(plugin->abi_minor_needed <= plugin->abi_minor_built);
  CHECK(par::view(plugin->manifest()).substr(0, 21) == "{\"manifest_version\":1");
}

TEST_CASE("an action hands over its result") {
  FakeHost fake;
  CHECK(execute(fake, "hello").status == PAR_OK);
  CHECK(fake.result == R"({"task":"t-1"})");
  CHECK(fake.logs == std::vector<std::string>{"host 1 opened"});
}

TEST_CASE("an unknown action is a defect that names it") {
  FakeHost fake;
  CHECK(execute(fake, "nothing").status == PAR_INTERNAL);
  CHECK(fake.message == "the plugin has no action \"nothing\"");
}

TEST_CASE("inputs that are no object never reach an action") {
  for (const std::string_view inputs : {"[]", " [{}]", "null", "\"{}\"", "1", ""}) {
    CAPTURE(inputs);
    FakeHost fake;
    const auto unreachable = [](auto&, auto&) { FAIL("the action ran"); };
    CHECK(execute(fake, "run", unreachable, "{}", inputs).status == PAR_INTERNAL);
    CHECK(fake.message == "the host broke its contract: the inputs are not a JSON object");
  }
  FakeHost fake;
  CHECK(execute(fake, "hello", {}, "{}", " \r\n\t{}").status == PAR_OK);
}

TEST_CASE("a constructor that throws fails open with its text") {
  FakeHost fake;
  CHECK(execute(fake, "hello", {}, "{\"bad\":1}").opened == PAR_ERROR);
  CHECK(fake.message == "settings are bad");
  CHECK(fake.display == "see the log");
}

TEST_CASE("no exception leaves the plugin") {
  FakeHost fake;
  SECTION("an error of the action keeps both texts") {
    CHECK(run(fake, [](auto&, auto& call) { call.fail("detail", "shown"); }) == PAR_ERROR);
    CHECK(fake.message == "detail");
    CHECK(fake.display == "shown");
  }
  SECTION("a standard exception is a defect") {
    CHECK(run(fake, [](auto&, auto&) { throw std::out_of_range("index 7"); }) == PAR_INTERNAL);
    CHECK(fake.message == "index 7");
    CHECK(fake.display == "the plugin failed with an internal error");
  }
  SECTION("anything else is a defect") {
    CHECK(run(fake, [](auto&, auto&) { throw 7; }) == PAR_INTERNAL);
    CHECK_FALSE(fake.message.empty());
  }
}

TEST_CASE("a refused result is reported") {
  FakeHost fake;
  SECTION("too large, with both sizes, and a smaller one may follow") {
    fake.max_result = 10;
    CHECK(run(fake, [](auto&, auto& call) { call.result("{\"a\":\"12345\"}"); }) == PAR_LIMIT);
    CHECK(fake.message == "the result has 13 bytes, more than the limit of 10");
    CHECK(run(fake, [](auto&, auto& call) {
            try {
              call.result("{\"a\":\"12345\"}");
            } catch (const par::Error&) {
              call.result("{}");
            }
          }) == PAR_OK);
    CHECK(fake.result == "{}");
  }
  SECTION("not an object: a defect") {
    fake.result_status = PAR_BAD_RESULT;
    CHECK(run(fake, [](auto&, auto& call) { call.result("[]"); }) == PAR_INTERNAL);
  }
}

TEST_CASE("more parts than fit the stack are joined") {
  FakeHost fake;
  CHECK(run(fake, [](auto&, auto& call) {
          call.result({"{", "\"", "a", "\"", ":", "1", "2", "3", "4", "}"});
        }) == PAR_OK);
  CHECK(fake.result == "{\"a\":1234}");
}

TEST_CASE("the call tells its state") {
  FakeHost fake;
  run(fake, [&](auto&, auto& call) {
    CHECK_FALSE(call.draining());
    CHECK(call.remaining() == std::chrono::seconds(5));
    fake.state = PAR_STATE_DRAIN;
    CHECK(call.draining());
    CHECK_FALSE(call.cancelled());
    call.check();
    fake.remaining = INT64_MAX;
    CHECK(call.remaining() == par::Call::Milliseconds::max());
    call.secret("s3cret");
    call.log(par::LogLevel::warn, "careful");
    call.host().secret("forever");
    call.result("{}");
  });
  CHECK(fake.secrets == std::vector<std::string>{"call s3cret", "host forever"});
  CHECK(fake.logs.back() == "call 2 careful");
}

TEST_CASE("a cancelled wait ends the action as cancelled") {
  FakeHost fake;
  fake.wait_status = PAR_CANCELLED;
  CHECK(run(fake, [](auto&, auto& call) { call.wait(std::chrono::milliseconds(5)); }) == PAR_CANCELLED);
  fake.state = PAR_STATE_CANCEL;
  CHECK(run(fake, [](auto&, auto& call) { call.check(); }) == PAR_CANCELLED);
}

TEST_CASE("a cancel guard runs its function at every cancel and is removed at its end") {
  FakeHost fake;
  int calls = 0;
  run(fake, [&](auto&, auto& call) {
    {
      const auto guard = call.on_cancel([&] {
        ++calls;
        throw std::runtime_error("stays inside");
      });
      CHECK(fake.cancels.size() == 1);
      fake.cancel();
      fake.cancel();
    }
    CHECK(fake.cancels.empty());
    call.result("{}");
  });
  CHECK(calls == 2);
  // Cancelled already: the function never runs, the action ends.
  CHECK(run(fake, [&](auto&, auto& call) { const auto guard = call.on_cancel([&] { ++calls; }); }) ==
        PAR_CANCELLED);
  CHECK(calls == 2);
}

TEST_CASE("a service that is absent or too short is a clear error") {
  FakeHost fake;
  SECTION("absent") {
    fake.offer_http = false;
  }
  SECTION("short") {
    fake.http.struct_size = sizeof(par_http) - 1;
  }
  CHECK(run(fake, [](auto&, auto& call) { call.http(); }) == PAR_UNSUPPORTED);
  CHECK(fake.message ==
        "the host offers no service par.http/1; is it listed under \"services\" in the manifest?");
  fake.offer_net = fake.offer_process = false;
  CHECK(run(fake, [](auto&, auto& call) { call.net(); }) == PAR_UNSUPPORTED);
  CHECK(run(fake, [](auto&, auto& call) { call.process(); }) == PAR_UNSUPPORTED);
}

TEST_CASE("host tables that are shorter than version 1.0 are refused at open") {
  FakeHost fake;
  SECTION("host") {
    fake.host.struct_size = sizeof(par_host) - 8;
  }
  SECTION("call") {
    fake.call.struct_size = offsetof(par_call, error) + sizeof(void*) - 1;
  }
  CHECK(execute(fake, "hello").opened == PAR_INTERNAL);
  CHECK(fake.message == "the host's tables are shorter than version 1.0 of the ABI needs");
}

TEST_CASE("host tables may be longer than this header knows") {
  FakeHost fake;
  fake.host.struct_size += 64;
  fake.call.struct_size += 64;
  fake.http.struct_size += 64;
  CHECK(run(fake, [](auto&, auto& call) {
          call.http();
          call.result("{}");
        }) == PAR_OK);
}

TEST_CASE("an HTTP request carries what was said, and the answer is read to its end") {
  FakeHost fake;
  fake.answer_headers = {{"Content-Length", "11"}, {"X-Two", "1"}, {"x-two", "2"}};
  fake.pieces = {"hello ", "world"};
  CHECK(run(fake, [](auto&, auto& call) {
          auto response = call.http()
                              .request("PUT", "http://h/")
                              .header("A", "1")
                              .header("B", "2")
                              .body("one")
                              .body("two")
                              .follow_redirects(false)
                              .verify_certificate(false)
                              .timeout(std::chrono::seconds(3))
                              .max_body(99)
                              .send();
          CHECK(response.status() == 200);
          CHECK(response.reason() == "Fine");
          CHECK(response.final_url() == "http://final/");
          CHECK(response.header_count() == 3);
          CHECK(response.header("X-TWO") == std::string_view("1"));
          CHECK_FALSE(response.header("absent"));
          CHECK(response.read_all() == "hello world");
          auto moved = std::move(response);
          CHECK(moved.status() == 200);
          call.result("{}");
        }) == PAR_OK);
  CHECK(fake.sent == "PUT http://h/\nA: 1\nB: 2\nflags=7 timeout=3000 max=99\nonetwo");
}

TEST_CASE("a large body without an announced length is read whole") {
  FakeHost fake;
  fake.pieces = {std::string(3'000'000, 'x'), std::string(1, 'y')};
  run(fake, [](auto&, auto& call) {
    const std::string body = call.http().get("http://h/").read_all();
    CHECK(body.size() == 3'000'001);
    CHECK(body.back() == 'y');
    call.result("{}");
  });
  CHECK(fake.result == "{}");
}

TEST_CASE("a failed request throws its kind with the host's text") {
  FakeHost fake;
  fake.failure_text = "host not allowed";
  fake.send_status = PAR_POLICY;
  CHECK(run(fake, [](auto&, auto& call) { call.http().get("http://h/"); }) == PAR_POLICY);
  CHECK(fake.message == "host not allowed");
}

TEST_CASE("a body that breaks off or is too long fails the action") {
  FakeHost fake;
  fake.pieces = {"abc"};
  SECTION("broken") {
    fake.read_status = PAR_CONNECT;
    CHECK(run(fake, [](auto&, auto& call) { call.http().get("http://h/").read_all(); }) == PAR_CONNECT);
    CHECK(fake.message == "no connection, or it was lost");
  }
  SECTION("too long") {
    CHECK(run(fake, [](auto&, auto& call) { call.http().get("http://h/").read_all(2); }) == PAR_LIMIT);
    CHECK(fake.message == "the answer has more than 2 bytes");
  }
}

TEST_CASE("addresses and trust roots are copied out and released") {
  FakeHost fake;
  run(fake, [](auto&, auto& call) {
    CHECK(call.net().resolve("db.example", 5432) == std::vector<std::string>{"127.0.0.1", "::1"});
    CHECK(call.net().trust_roots() == "PEM");
    call.result("{}");
  });
  CHECK(fake.sent == "db.example:5432");
  fake.send_status = PAR_RESOLVE;
  fake.failure_text = "no such host";
  CHECK(run(fake, [](auto&, auto& call) { call.net().resolve("x", 1); }) == PAR_RESOLVE);
  CHECK(fake.message == "no such host");
}

TEST_CASE("a command runs to its end with both streams apart") {
  FakeHost fake;
  fake.pieces = {"out1 ", "Err", "out2"};
  run(fake, [](auto&, auto& call) {
    const par::Finished finished = call.process()
                                       .command("prog")
                                       .arg("-v")
                                       .env("PATH", "/bin")
                                       .directory("/tmp")
                                       .input("stdin")
                                       .overflow(par::Command::Overflow::tail)
                                       .run();
    CHECK(finished.output == "out1 out2");
    CHECK(finished.error == "Err");
    CHECK(finished.exit_code == 3);
    CHECK(finished.term_signal == 0);
    call.result("{}");
  });
  CHECK(fake.sent == "prog|-v|PATH=/bin|/tmp|stdin|2");
  fake.send_status = PAR_SPAWN;
  fake.failure_text = "no such program";
  CHECK(run(fake, [](auto&, auto& call) { call.process().command("nope").run(); }) == PAR_SPAWN);
  CHECK(fake.message == "no such program");
}
