#include "core/services/proxies.hpp"

#include "core/services/http_client.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

std::string chosen(const ProxySettings& settings, const std::string& url) {
  const ProxyRules rules(settings);
  const auto proxy = rules.choose(parse_url(url).value());
  if (!proxy) return "error: " + proxy.error().message;
  return *proxy ? (*proxy)->url.origin() : "direct";
}

}  // namespace

TEST_CASE("The scheme of the target chooses the proxy variable") {
  const ProxySettings settings{"http://p1.test:3128", "https://p2.test:8443", ""};
  CHECK(chosen(settings, "http://a.test/") == "http://p1.test:3128");
  CHECK(chosen(settings, "https://a.test/") == "https://p2.test:8443");
  CHECK(chosen({"", "http://p.test", ""}, "http://a.test/") == "direct");
  CHECK(chosen({"p.test:3128", "", ""}, "http://a.test/") == "http://p.test:3128");
  CHECK(chosen({"p.test:3128", "", ""}, "http://127.0.0.1/") == "http://p.test:3128");
  CHECK(chosen({"p.test:3128", "", ""}, "http://localhost/") == "http://p.test:3128");
}

TEST_CASE("NO_PROXY knows names, domains, addresses, networks and ports") {
  struct Case {
    const char* no_proxy;
    const char* url;
    bool direct;
  };
  const auto test = GENERATE(
      Case{"a.test", "http://a.test/", true}, Case{"a.test", "http://x.a.test/", true},
      Case{"a.test", "http://xa.test/", false}, Case{".a.test", "http://x.a.test/", true},
      Case{".a.test", "http://a.test/", false}, Case{"*.a.test", "http://x.a.test/", true},
      Case{"*.a.test", "http://a.test/", false}, Case{"A.Test", "http://a.test./", true},
      Case{"*", "http://a.test/", true}, Case{"b.test, a.test", "http://a.test/", true},
      Case{"b.test a.test", "http://a.test/", true}, Case{"a.test:8080", "http://a.test:8080/", true},
      Case{"a.test:8080", "http://a.test/", false}, Case{"a.test:80", "http://a.test/", true},
      Case{"10.1.2.3", "http://10.1.2.3/", true}, Case{"10.1.2.3", "http://10.1.2.4/", false},
      Case{"10.0.0.0/8", "http://10.200.1.1/", true}, Case{"10.0.0.0/8", "http://11.0.0.1/", false},
      Case{"10.0.0.0/8", "http://[::ffff:10.1.1.1]/", true}, Case{"10.0.0.0/33", "http://10.0.0.0/", false},
      Case{"10.1.2.3:81", "http://10.1.2.3:81/", true}, Case{"10.1.2.3:81", "http://10.1.2.3/", false},
      Case{"fd00::/8", "http://[fd12::1]/", true}, Case{"::1", "http://[::1]/", true},
      Case{"[::1]:81", "http://[::1]:81/", true}, Case{"[::1]:81", "http://[::1]/", false},
      Case{"127.0.0.0/8", "http://localhost/", false}, Case{",,", "http://a.test/", false});
  INFO(test.no_proxy << " for " << test.url);
  CHECK((chosen({"http://p.test", "", test.no_proxy}, test.url) == "direct") == test.direct);
}

TEST_CASE("User info of a proxy becomes its authorization, and errors do not show it") {
  const auto proxy = parse_proxy("http://us%65r:p%40ss@p.test:1").value();
  CHECK(proxy.authorization == "Basic dXNlcjpwQHNz");  // user:p@ss
  CHECK(parse_proxy("p.test").value().authorization.empty());
  const std::string error = chosen({"ftp://user:hidden@p.test", "", ""}, "http://a.test/");
  CHECK(error.starts_with("error: HTTP_PROXY"));
  CHECK(error.find("hidden") == std::string::npos);
}
