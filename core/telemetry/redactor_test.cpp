#include "core/telemetry/redactor.hpp"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/encoding.hpp"
#include "tests/catch.hpp"

using par::core::base64_encode;
using par::core::base64url_encode;
using par::core::Redactor;

TEST_CASE("a text without registered values comes back as it is") {
  const Redactor redactor;
  CHECK(redactor.redact("nothing to hide: hunter2") == "nothing to hide: hunter2");
  CHECK(redactor.redact("").empty());
}

TEST_CASE("a registered value is replaced wherever it stands") {
  Redactor redactor;
  const auto kept = redactor.add("hunter2");
  CHECK(redactor.redact("hunter2") == "[redacted]");
  CHECK(redactor.redact("a hunter2 b hunter2") == "a [redacted] b [redacted]");
  CHECK(redactor.redact("hunter2hunter2!") == "[redacted][redacted]!");
  CHECK(redactor.redact("hunter") == "hunter");
  CHECK(redactor.redact("Hunter2") == "Hunter2");
}

TEST_CASE("values shorter than six bytes are not registered") {
  Redactor redactor;
  const auto short_one = redactor.add("abcde");
  const auto empty = redactor.add("");
  CHECK(redactor.redact("abcde") == "abcde");
}

TEST_CASE("a value is found in base64 at every offset and in both alphabets") {
  Redactor redactor;
  const std::string secret = "\xfb\xff\xbe>>?\xfb\xff secret?";
  const auto kept = redactor.add(secret);
  for (const std::string before : {"", "x", "xy", "xyz", "user:"}) {
    for (const std::string after : {"", "1", "12", "123"}) {
      for (const std::string& encoded :
           {base64_encode(before + secret + after), base64url_encode(before + secret + after)}) {
        CAPTURE(before, after, encoded);
        const std::string shown = redactor.redact("Basic " + encoded);
        CHECK(shown.find("[redacted]") != std::string::npos);
        // At most the characters shared with the neighbours are left.
        CHECK(shown.size() <=
              std::string("Basic [redacted]").size() + (before.size() + after.size() + 4) * 4 / 3 + 4);
      }
    }
  }
}

TEST_CASE("a value is found percent-encoded by any set of characters and in either case") {
  Redactor redactor;
  const auto kept = redactor.add("pa ss/w%rd\xc3\xa9");
  for (const char* text : {"pa%20ss%2Fw%25rd%C3%A9", "pa%20ss/w%25rd%c3%a9", "pa+ss%2fw%25rd%C3%A9",
                           "%70%61%20%73%73%2F%77%25%72%64%C3%A9"}) {
    CAPTURE(text);
    CHECK(redactor.redact(std::string("https://h/?q=") + text + "&r=1") == "https://h/?q=[redacted]&r=1");
  }
}

TEST_CASE("a value is found JSON-escaped in any spelling") {
  Redactor redactor;
  const auto kept = redactor.add("a\"b\\c\n/\xc3\xa9\xf0\x9f\x98\x80");
  for (const char* text :
       {"a\\\"b\\\\c\\n/\xc3\xa9\xf0\x9f\x98\x80", "a\\\"b\\\\c\\n\\/\\u00e9\\ud83d\\ude00",
        "\\u0061\\u0022b\\u005Cc\\u000a/\\u00E9\\uD83D\\uDE00"}) {
    CAPTURE(text);
    CHECK(redactor.redact(std::string("{\"k\":\"") + text + "\"}") == "{\"k\":\"[redacted]\"}");
  }
}

TEST_CASE("overlapping values leave nothing of either") {
  Redactor redactor;
  const auto one = redactor.add("abcdefgh");
  const auto two = redactor.add("efghijkl");
  const auto inner = redactor.add("cdefgh");
  CHECK(redactor.redact("<abcdefghijkl>") == "<[redacted]>");
  CHECK(redactor.redact("<cdefgh>") == "<[redacted]>");
}

TEST_CASE("a value registered several times stays until its last registration goes") {
  Redactor redactor;
  std::optional first = redactor.add("hunter2");
  std::optional second = redactor.add("hunter2");
  first.reset();
  CHECK(redactor.redact("hunter2") == "[redacted]");
  Redactor::Registration moved = std::move(*second);
  second.reset();
  CHECK(redactor.redact("hunter2") == "[redacted]");
  moved = redactor.add("another value");
  CHECK(redactor.redact("hunter2") == "hunter2");
  CHECK(redactor.redact("another value") == "[redacted]");
}

TEST_CASE("a value registered for ever stays when other registrations of it go") {
  Redactor redactor;
  redactor.add_forever("hunter2");
  { const auto passing = redactor.add("hunter2"); }
  CHECK(redactor.redact("hunter2") == "[redacted]");
}

TEST_CASE("the redactor can be used from many threads") {
  Redactor redactor;
  redactor.add_forever("for ever and a day");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&redactor, i] {
      for (int round = 0; round < 200; ++round) {
        const std::string mine = "secret of thread " + std::to_string((i + round) % 4);
        const auto kept = redactor.add(mine);
        if (redactor.redact("<" + mine + ">") != "<[redacted]>") std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(redactor.redact("secret of thread 1 for ever and a day") == "secret of thread 1 [redacted]");
}
