// A well-behaved plugin for end-to-end tests: it gives back what it got, waits, fails and hangs on request.
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <par/json.hpp>
#include <par/plugin.hpp>
#include <unistd.h>

namespace {

namespace json = par::json;

/// The inputs of a task, which are valid against the schema.
class Inputs {
 public:
  explicit Inputs(const par::Request& request) {
    std::string error;
    if (!json::parse(request.inputs_json(), document_, error)) throw std::runtime_error(error);
  }
  std::string_view text(std::string_view name) const {
    const json::Value* const value = json::find(document_, name);
    return value == nullptr ? std::string_view() : json::text(*value);
  }
  int64_t number(std::string_view name, int64_t otherwise = 0) const {
    const json::Value* const value = json::find(document_, name);
    return value == nullptr ? otherwise : value->GetInt64();
  }

 private:
  json::Document document_;
};

std::string quoted(std::string_view text) {
  return json::write(json::Value(rapidjson::StringRef(text.data(), text.size())));
}

class Echo {
 public:
  explicit Echo(const par::Setup& setup) : settings_(setup.settings_json) {}

  void echo(const par::Request& request, par::Call& call) const {
    call.result({R"({"task_id":)", quoted(request.task_id()), R"(,"inputs":)", request.inputs_json(),
                 R"(,"connection":)", request.connection_json(), R"(,"settings":)", settings_, "}"});
  }

  void wait(const par::Request& request, par::Call& call) const {
    const int64_t ms = Inputs(request).number("ms");
    call.wait(std::chrono::milliseconds(ms));
    call.result({R"({"waited_ms":)", std::to_string(ms), "}"});
  }

  void ignore(const par::Request& request, par::Call& call) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(Inputs(request).number("ms")));
    call.result(R"({"ignored":true})");
  }

  void hang(const par::Request& /*request*/, par::Call& /*call*/) const {
    for (;;) ::pause();
  }

  void fail(const par::Request& request, par::Call& call) const {
    const Inputs inputs(request);
    call.fail(std::string(inputs.text("message")), std::string(inputs.text("display")));
  }

  void big(const par::Request& request, par::Call& call) const {
    const std::string filler(static_cast<size_t>(Inputs(request).number("bytes")), 'x');
    call.result({R"({"data":")", filler, R"("})"});
  }

  void log(const par::Request& request, par::Call& call) const {
    const Inputs inputs(request);
    call.log(static_cast<par::LogLevel>(inputs.number("level", 1)), inputs.text("message"));
    call.result("{}");
  }

  void raise(const par::Request& request, par::Call& /*call*/) const {
    throw std::runtime_error(std::string(Inputs(request).text("message")));
  }

 private:
  std::string settings_;
};

}  // namespace

PAR_PLUGIN(Echo, {"echo", &Echo::echo}, {"wait", &Echo::wait}, {"ignore", &Echo::ignore},
           {"hang", &Echo::hang}, {"fail", &Echo::fail}, {"big", &Echo::big}, {"log", &Echo::log},
           {"throw", &Echo::raise});
