#include "core/base/url.hpp"

#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("URLs are split and put together without change") {
  const Url url = parse_url("HTTPS://user:p%40ss@Example.COM:8443/a%2Fb?q=a%26b#frag").value();
  CHECK(url.scheme == "https");
  CHECK(url.userinfo == "user:p%40ss");
  CHECK(url.host == "example.com");
  CHECK(url.port == 8443);
  CHECK(url.has_port);
  CHECK(url.target() == "/a%2Fb?q=a%26b");
  CHECK(url.text() == "https://example.com:8443/a%2Fb?q=a%26b");
  CHECK(parse_url("http://h").value().text() == "http://h/");
  CHECK(parse_url("http://h?x").value().target() == "/?x");
  CHECK(parse_url("https://h:443/").value().authority() == "h");
  const Url six = parse_url("http://[FD00:EC2::254]:8080/").value();
  CHECK(six.host == "fd00:ec2::254");
  CHECK(six.authority() == "[fd00:ec2::254]:8080");
  CHECK(parse_url("http://[fe80::1%25eth0]/").value().host == "fe80::1%25eth0");
}

TEST_CASE("URLs that no two programs read alike are refused") {
  for (const char* text : {"", "example.com", "ftp://h/", "http://", "http:///path", "http://h:0/",
                           "http://h:65536/", "http://h:80a/", "http://h ost/", "http://h/a b",
                           "http://h/\r\nX: y", "http://[::1/", "http://[::g]/", "http://a\\b/",
                           "http://[::1]x/", "http://169.254.169%2e254/", "http://\xef\xbc\x91.test/"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_url(text));
  }
  CHECK(parse_url("http://user:secret@h:x/?token=t").error().message.find("secret") == std::string::npos);
}

TEST_CASE("redirect targets are resolved as RFC 3986 says") {
  const Url base = parse_url("http://u:p@a/b/c/d;p?q").value();
  const auto at = [&](const char* reference) { return resolve_reference(base, reference).value().text(); };
  CHECK(at("g") == "http://a/b/c/g");
  CHECK(at("./g") == "http://a/b/c/g");
  CHECK(at("g/") == "http://a/b/c/g/");
  CHECK(at("/g") == "http://a/g");
  CHECK(at("//g") == "http://g/");
  CHECK(at("?y") == "http://a/b/c/d;p?y");
  CHECK(at("g?y#s") == "http://a/b/c/g?y");
  CHECK(at("..") == "http://a/b/");
  CHECK(at("../..") == "http://a/");
  CHECK(at("../../../g") == "http://a/g");
  CHECK(at("") == "http://a/b/c/d;p?q");
  CHECK(at("https://x/y") == "https://x/y");
  CHECK(at("/a%2Fb?q=a%26b") == "http://a/a%2Fb?q=a%26b");
  CHECK(at("/a b?c d\xc3\xa9") == "http://a/a%20b?c%20d%C3%A9");
  CHECK_FALSE(resolve_reference(base, "file:///etc/passwd"));
  CHECK_FALSE(resolve_reference(base, "/a\tb"));
  CHECK_FALSE(resolve_reference(base, "http://a b/"));
  CHECK_FALSE(resolve_reference(base, "//\xef\xbc\x91/"));
  CHECK(resolve_reference(base, "g").value().userinfo.empty());
}
