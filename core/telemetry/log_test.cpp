#include "core/telemetry/log.hpp"

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par::core;
namespace json = par::json;

namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    out = FileDescriptor(ends[0]);
    in = FileDescriptor(ends[1]);
  }
  std::string read_all() {
    in.reset();
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(out.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<size_t>(n));
    }
    return text;
  }
  FileDescriptor out;
  FileDescriptor in;
};

}  // namespace

TEST_CASE("a JSON line carries time, level, message, common fields and fields of every type") {
  Redactor redactor;
  redactor.add_forever("hunter2");
  Pipe pipe;
  Log log(pipe.in.get(), LogFormat::json, LogLevel::info, redactor);
  log.set_common_fields({{"runner_id", "runner-1"}});
  log.warn("login with hunter2 \"failed\"\n", {{"url", "http://u:hunter2@h/"},
                                               {"count", 3},
                                               {"big", uint64_t{18446744073709551615u}},
                                               {"negative", int64_t{-5}},
                                               {"ratio", 0.5},
                                               {"retried", true}});
  const std::string line = pipe.read_all();
  CHECK(line.back() == '\n');
  CHECK(line.find('\n') == line.size() - 1);
  const auto parsed = parse_json(line);
  REQUIRE(parsed);
  const auto text = [&](const char* name) { return std::string(json::text(*json::find(*parsed, name))); };
  CHECK(text("time").size() == std::string("2026-01-01T00:00:00.000Z").size());
  CHECK(text("level") == "warn");
  CHECK(text("message") == "login with [redacted] \"failed\"\n");
  CHECK(text("runner_id") == "runner-1");
  CHECK(text("url") == "http://u:[redacted]@h/");
  CHECK(json::find(*parsed, "count")->GetInt() == 3);
  CHECK(json::find(*parsed, "big")->GetUint64() == 18446744073709551615u);
  CHECK(json::find(*parsed, "negative")->GetInt64() == -5);
  CHECK(json::find(*parsed, "ratio")->GetDouble() == 0.5);
  CHECK(json::find(*parsed, "retried")->GetBool());
}

TEST_CASE("lines below the level are not written") {
  const Redactor redactor;
  Pipe pipe;
  const Log log(pipe.in.get(), LogFormat::json, LogLevel::warn, redactor);
  log.info("no");
  CHECK(pipe.read_all().empty());
}

TEST_CASE("a text line quotes values with blanks and shows no control characters") {
  Redactor redactor;
  redactor.add_forever("hunter2");
  Pipe pipe;
  const Log log(pipe.in.get(), LogFormat::text, LogLevel::debug, redactor);
  log.debug("two\nlines \x1b[31m", {{"plain", "value"}, {"spaced", "a hunter2"}, {"empty", ""}, {"n", 1}});
  const std::string line = pipe.read_all();
  CHECK(line.substr(24) ==
        " debug two\\nlines \\x1b[31m plain=value spaced=\"a [redacted]\" empty=\"\" n=1\n");
}

TEST_CASE("bytes that are not UTF-8 do not make a line invalid") {
  const Redactor redactor;
  Pipe pipe;
  const Log log(pipe.in.get(), LogFormat::json, LogLevel::debug, redactor);
  log.info("bad \xff byte", {{"field", "\xc3"}});
  const auto parsed = parse_json(pipe.read_all());
  REQUIRE(parsed);
  CHECK(json::text(*json::find(*parsed, "message")) == "bad ? byte");
  CHECK(json::text(*json::find(*parsed, "field")) == "?");
}

TEST_CASE("a closed or full output is harmless") {
  ::signal(SIGPIPE, SIG_IGN);
  const Redactor redactor;
  Pipe closed;
  closed.out.reset();
  const Log to_closed(closed.in.get(), LogFormat::json, LogLevel::debug, redactor);
  to_closed.info("nobody reads");
  Pipe full;
  REQUIRE(::fcntl(full.in.get(), F_SETFL, O_NONBLOCK) == 0);
  const Log to_full(full.in.get(), LogFormat::json, LogLevel::debug, redactor);
  const std::string long_text(70'000, 'x');
  to_full.info(long_text);
  to_full.info(long_text);
  SUCCEED();
}
