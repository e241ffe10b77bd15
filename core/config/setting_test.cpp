#include "core/config/setting.hpp"

#include "core/config/yaml.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

bool refused(std::string_view yaml, const std::string& why) {
  const auto read = read_yaml(yaml, "f");
  if (read) return false;
  INFO(read.error().message);
  CHECK(read.error().message.find(why) != std::string::npos);
  return true;
}

Setting scalar(const std::string& text) {
  Setting setting;
  setting.kind = Setting::Kind::scalar;
  setting.text = text;
  return setting;
}

}  // namespace

TEST_CASE("numbers are read as Helm prints them") {
  CHECK(*whole_number_of(scalar("30"), 0, 100) == 30);
  CHECK(*whole_number_of(scalar(" 30.0 "), 0, 100) == 30);
  CHECK(*whole_number_of(scalar("3e1"), 0, 100) == 30);
  CHECK(*whole_number_of(scalar("1e+06"), 0, 1'000'000) == 1'000'000);
  CHECK(*whole_number_of(scalar("+5"), 0, 100) == 5);
  for (const char* const bad :
       {"", "x", "30x", "0x1e", "1,5", "nan", "inf", "1e400", "30.5", "-1", "101", "++5"}) {
    CAPTURE(bad);
    CHECK_FALSE(whole_number_of(scalar(bad), 0, 100));
  }
  CHECK(seconds_of(scalar("0.0015"), 0, 1)->count() == 2);
}

TEST_CASE("plain scalars become JSON as YAML 1.2 reads them") {
  const auto read = read_yaml(
      "{a: 1, b: -2.5, c: 'x', d: true, e: no, f: ~, g: '1', h: 1.2.3, i: 0x1f, j: 1e3, k: ''}", "f");
  REQUIRE(read);
  CHECK(
      json_of(*read) ==
      R"({"a":1,"b":-2.5,"c":"x","d":true,"e":"no","f":null,"g":"1","h":"1.2.3","i":"0x1f","j":1000,"k":""})");
}

TEST_CASE("YAML that is broken or could mean two things is refused with its line") {
  CHECK(refused("a: 1\nb: 2\na: 3", "f:3: the key \"a\" stands here a second time (first at f:1)"));
  CHECK(refused("a: &x [1]\nb: *x", "anchors"));
  CHECK(refused("a: *x", "f:1"));
  CHECK(refused("*: 1", ""));
  CHECK(refused("a: 1\n---\nb: 2", "more than one"));
  CHECK(refused("a: [1", "not valid YAML"));
  CHECK(refused("a: b: c", "f:1: not valid YAML"));
  CHECK(refused("\ta: 1", "not valid YAML"));
  CHECK(refused("? [a]\n: 1", "used as a key"));
  CHECK(refused(": 1", "key is empty"));
  CHECK(refused("a: \xff\xfe", "UTF-8"));
  CHECK(refused("a: !!binary [", "f:"));
}

TEST_CASE("YAML bombs end early") {
  std::string aliases = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    aliases += std::string(1, c) + ": &" + c + " [*" + static_cast<char>(c - 1) + ",*" +
               static_cast<char>(c - 1) + "]\n";
  }
  CHECK(refused(aliases, "anchors"));
  for (const char* const opening : {"[", "{", "- ", "? ", "{a: ", "[{a: "}) {
    std::string deep;
    while (deep.size() < (1 << 20)) deep += opening;
    CAPTURE(opening);
    CHECK_FALSE(read_yaml(deep, "f"));
  }
  std::string steps;
  for (int i = 0; i < 400; ++i) steps += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  CHECK(refused(steps, "nested deeper than 32"));
}

TEST_CASE("an empty document is null") {
  CHECK(read_yaml("", "f")->is_null());
  CHECK(read_yaml("# c\n", "f")->is_null());
  CHECK(read_yaml("---\n", "f")->is_null());
  CHECK(read_yaml("\xef\xbb\xbfport: 1\r\n", "f")->find("port")->text == "1");
}
