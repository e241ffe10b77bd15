#include "core/policy/host_allowlist.hpp"

#include "tests/catch.hpp"

using namespace par::core;

namespace {

bool matches(const std::string& pattern, const std::string& host) {
  const auto list = HostAllowlist::parse({pattern});
  REQUIRE(list);
  return list->allows(host);
}

}  // namespace

TEST_CASE("host patterns match as the protocol says") {
  struct Row {
    const char* pattern;
    const char* host;
    bool allowed;
  };
  const Row row = GENERATE(
      Row{"example.com", "example.com", true}, Row{"Example.COM", "eXample.com", true},
      Row{"example.com", "example.org", false}, Row{"example.com", "a.example.com", false},
      Row{"*.internal.corp", "a.internal.corp", true}, Row{"*.internal.corp", "a.b.internal.corp", true},
      Row{"*.internal.corp", "internal.corp", false}, Row{"*.internal.corp", "xinternal.corp", false},
      Row{"*.internal.corp", "a.internal.corp.evil.com", false}, Row{"*", "anything", true},
      Row{"*", "", false}, Row{"db-?.corp", "db-1.corp", true}, Row{"db-?.corp", "db-12.corp", false},
      Row{"db-?.corp", "db-.corp", false}, Row{"db-[abc].corp", "db-b.corp", true},
      Row{"db-[abc].corp", "db-d.corp", false}, Row{"db-[a-f0-3].corp", "db-2.corp", true},
      Row{"db-[a-f0-3].corp", "db-7.corp", false}, Row{"db-[!x].corp", "db-y.corp", true},
      Row{"db-[!x].corp", "db-x.corp", false}, Row{"db-[a-].corp", "db--.corp", true},
      Row{"{a,b}.corp", "a.corp", true}, Row{"{a,b}.corp", "b.corp", true},
      Row{"{a,b}.corp", "ab.corp", false}, Row{"{,www.}corp.com", "corp.com", true},
      Row{"{,www.}corp.com", "www.corp.com", true}, Row{"{a,b{c,d}}.{x,y}", "bd.y", true},
      Row{"{a,b{c,d}}.{x,y}", "b.y", false}, Row{"{[ab,],z}.corp", ",.corp", true},
      Row{"*a*b*c", "xaxxbxxc", true}, Row{"*a*b*c", "xaxxcxxb", false}, Row{"10.0.0.*", "10.0.0.7", true},
      Row{"fd00::*", "fd00::1:2", true}, Row{"::1", "::1", true});
  CAPTURE(row.pattern, row.host);
  CHECK(matches(row.pattern, row.host) == row.allowed);
}

TEST_CASE("an empty list allows no host") {
  const auto list = HostAllowlist::parse({});
  REQUIRE(list);
  CHECK_FALSE(list->allows("example.com"));
}

TEST_CASE("malformed host patterns are refused by name") {
  struct Row {
    const char* pattern;
    const char* why;
  };
  const Row row = GENERATE(
      Row{"", "empty"}, Row{"a[bc", "never closed"}, Row{"a{b,c", "never closed"}, Row{"a}b", "has no {"},
      Row{"a[]b", "empty []"}, Row{"a[!]b", "empty []"}, Row{"a[z-a]", "backwards"},
      Row{"https://example.com", "without scheme"}, Row{"example.com/path", "without scheme"},
      Row{"example.com:443", "without a port"}, Row{"a\\*b", "backslash"}, Row{"a b", "blank"});
  CAPTURE(row.pattern);
  const auto list = HostAllowlist::parse({"good.example", row.pattern});
  REQUIRE_FALSE(list);
  CHECK(list.error().message.find(row.why) != std::string::npos);
  CHECK(list.error().message.find(row.pattern) != std::string::npos);
}

TEST_CASE("braces cannot blow up") {
  std::string bomb;
  for (int i = 0; i < 60; ++i) bomb += "{a,b}";
  const auto list = HostAllowlist::parse({bomb});
  REQUIRE_FALSE(list);
  CHECK(list.error().message.find("256") != std::string::npos);
  CHECK_FALSE(HostAllowlist::parse({std::string(2000, 'a')}));
  CHECK(HostAllowlist::parse({std::string(500, '{') + "a" + std::string(500, '}')}));
}

TEST_CASE("stars cannot make matching exponential") {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  CHECK_FALSE(matches(pattern + "*b", std::string(253, 'a')));
}
