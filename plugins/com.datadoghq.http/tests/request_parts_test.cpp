#include <functional>
#include <string>

#include "body.hpp"
#include "checksum.hpp"
#include "client_identity.hpp"
#include "form.hpp"
#include "headers.hpp"
#include "inputs.hpp"
#include "probe.hpp"
#include "status.hpp"
#include "template.hpp"
#include "tests/catch.hpp"
#include "text.hpp"
#include "url.hpp"

using namespace http_plugin;

namespace {

const char* const k_tokens = R"({"id":"c","auth":"token","root_tokens":[{"name":"key","value":"v\"1"},
    {"name":"odd name","value":"2"},{"name":"x-y","value":"3"}]})";

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const par::Error& error) {
    return error.message();
  }
  return "no error";
}

std::string header_lines(const Headers& headers) {
  std::string lines;
  for (const auto& [name, value] : headers.list()) lines += name + ": " + value + "\n";
  return lines;
}

std::string url_of(std::string_view text, const Pairs& added = {}) {
  return request_url(Url::parse(text), added);
}

std::string body_of(const char* input, const char* connection, const char* content_type = nullptr,
                    bool strict = false) {
  const Inputs inputs(input);
  const par::Connection parsed(connection);
  const std::string type = content_type == nullptr ? "" : content_type;
  const Body body = make_body(inputs, parsed, content_type == nullptr ? nullptr : &type, strict);
  return body.present() ? std::string(body.bytes()) : "(none)";
}

}  // namespace

TEST_CASE("templates take tokens by name") {
  const par::Connection connection(k_tokens);
  CHECK(render("plain }} text", connection) == "plain }} text");
  CHECK(render("Bearer {{key}}{{ x-y }}.", connection) == "Bearer v\"13.");
  CHECK(render("{{[odd name]}}", connection) == "2");
  CHECK(render("<{{ unknown }}{{key.member}}{{[else]}}>", connection) == "<>");
  CHECK(
      render("{{Credentials}}", connection) ==
      R"([{"tokenName":"key","tokenValue":"v\"1"},{"tokenName":"odd name","tokenValue":"2"},{"tokenName":"x-y","tokenValue":"3"}])");
  CHECK(render("{{$credentials}}", connection) == render("{{Credentials}}", connection));
}

TEST_CASE("any other template construct is an error that shows no text") {
  const par::Connection connection(k_tokens);
  for (const char* text : {"{{}}",        "{{ }}",    "{{{key}}}", "{{#if key}}x{{/if}}",
                           "{{! note }}", "{{key",    "{{key x}}", "{{a/b}}",
                           "{{..}}",      "{{a..b}}", "{{[key}}",  "{{~key}}",
                           "{{>key}}",    "{{&key}}", "\\{{key}}", "{{key}",
                           "{{else}}",    "{{^}}",    "{{@root}}", "{{key.}}",
                           "{{\"key\"}}"}) {
    CAPTURE(text);
    const std::string message = message_of([&] { render(std::string("secret ") + text, connection); });
    CHECK(message.substr(0, 10) == "template: ");
    CHECK(message.find("secret") == std::string::npos);
  }
}

TEST_CASE("headers come in layers, later ones win without regard to case") {
  const Inputs inputs(R"({"verb":"GET","url":"http://h","requestHeaders":[
      {"key":"Accept","value":["a","b"]},{"key":"X-Own","value":["{{key}}"]},{"key":"authorization","value":["mine"]},
      {"key":"User-Agent","value":["me"]},{"key":"Runtime-Worker-Key","value":["k"]},{"key":"Empty"}],
      "cookies":[{"key":"a","value":"1"},{"key":"b","value":"2"}]})");
  SECTION("token connection") {
    const par::Connection connection(R"({"auth":"token","root_tokens":[{"name":"key","value":"1"}],
        "headers":[{"name":"ACCEPT","value":" {{key}} "},{"name":"Host","value":"evil"}]})");
    CHECK(header_lines(assemble_headers(inputs, connection)) ==
          "ACCEPT: 1\nX-Own: 1\nauthorization: mine\nEmpty: \nCookie: a=1; b=2\n");
  }
  SECTION("a basic connection sets Authorization last") {
    const par::Connection connection(R"({"auth":"basic","root_tokens":[{"name":"username","value":"deploy"},
        {"name":"password","value":"correct horse"}]})");
    const Headers headers = assemble_headers(inputs, connection);
    CHECK(*headers.find("Authorization") == "Basic ZGVwbG95OmNvcnJlY3QgaG9yc2U=");
    CHECK(headers.list().size() == 5);
  }
}

TEST_CASE("headers that an action may not set are refused") {
  for (const char* name : {"Content-Length", "host", "X-Forwarded-For", "x-forwarded-host",
                           "X-Forwarded-Proto", "FORWARDED", "Sec-Datadog"}) {
    const Inputs inputs(R"({"verb":"GET","url":"http://h","requestHeaders":[{"key":")" + std::string(name) +
                        "\"}]}");
    CHECK(message_of([&] { refuse_forbidden_headers(inputs); }).find(name) != std::string::npos);
  }
}

TEST_CASE("headers that cannot be sent are refused") {
  const par::Connection connection("{}");
  for (const char* header : {R"({"key":"a b","value":["x"]})", R"({"key":"a","value":["x\r\nB: y"]})",
                             R"({"key":"","value":[]})"}) {
    const Inputs inputs(R"({"verb":"GET","url":"http://h","requestHeaders":[)" + std::string(header) + "]}");
    CHECK_THROWS_AS(assemble_headers(inputs, connection), par::Error);
  }
}

TEST_CASE("header names get canonical capitals") {
  CHECK(canonical_header_name("content-TYPE") == "Content-Type");
  CHECK(canonical_header_name("x--a_b") == "X--A_b");
  CHECK(canonical_header_name("bad name") == "bad name");
}

TEST_CASE("the query is joined, encoded and sorted") {
  CHECK(url_of("http://h") == "http://h/");
  CHECK(url_of("HTTPS://h:8443/a/b?") == "HTTPS://h:8443/a/b");
  CHECK(url_of("http://h/p?b=2&a=x+y&a=1&c#frag") == "http://h/p?a=x+y&a=1&b=2&c=");
  CHECK(url_of("http://h/?z=%7e%C3%A4&bad=%zz&x;y=1", {{"a b", "c&d"}, {"z", "3"}}) ==
        "http://h/?a+b=c%26d&z=~%C3%A4&z=3");
  CHECK(url_of(" http://u:p@[::1]:80/a b/\xC3\xA4%2F ") == "http://[::1]:80/a%20b/%C3%A4%2F");
}

TEST_CASE("URLs that cannot be requested are refused without being quoted") {
  for (const char* text : {"", "h/path", "/path", "ftp://secret/", "http://", "http:///secret", "http://:80/",
                           "http://h/%zz", "http://h\n/secret", "http://a b/"}) {
    CAPTURE(text);
    const std::string message = message_of([&] { Url::parse(text); });
    CHECK(message != "no error");
    CHECK(message.find("secret") == std::string::npos);
  }
}

TEST_CASE("a connection's base URL fixes host and port") {
  require_same_host(Url::parse("http://Host:80/x"), "https://host:80/y");
  CHECK_THROWS_AS(require_same_host(Url::parse("https://a:443/"), "https://a"), par::Error);
  CHECK_THROWS_AS(require_same_host(Url::parse("https://a@b/"), "https://a"), par::Error);
  CHECK(message_of([] { require_same_host(Url::parse("https://a/"), "a"); }).find("base URL") !=
        std::string::npos);
  CHECK(basic_credentials(Url::parse("http://us%3Aer:p%40ss@h/")) == "us:er:p@ss");
  CHECK(basic_credentials(Url::parse("http://user@h/")) == "user:");
  CHECK(basic_credentials(Url::parse("http://h/")).empty());
}

TEST_CASE("errorOnStatus takes codes and ranges and nothing else") {
  CHECK(parse_status_range("404").holds(404));
  CHECK_FALSE(parse_status_range("404").holds(405));
  CHECK(parse_status_range("500-599").holds(599));
  for (const char* text : {"", "x", "4 04", " 404", "404-", "-404", "1-2-3", "599-500", "+4"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_status_range(text), par::Error);
  }
}

TEST_CASE("a body goes out as JSON, or as its text") {
  CHECK(body_of(R"({"body":{"b":1,"a":[true,null,"x"]}})", "{}") == R"({"b":1,"a":[true,null,"x"]})");
  CHECK(body_of(R"({"body":"text é"})", "{}") == "text é");
  CHECK(body_of(R"({"body":"text"})", "{}", nullptr, true) == "\"text\"");
  CHECK(body_of(R"({"body":9007199254740993})", "{}") == "9007199254740993");
  CHECK(body_of(R"({"body":false})", "{}") == "false");
  CHECK(body_of(R"({"body":""})", "{}") == "(none)");
  CHECK(body_of("{}", "{}") == "(none)");
}

TEST_CASE("a connection's body is merged") {
  const char* const json = R"({"root_tokens":[{"name":"k","value":"s"}],
      "body":{"content":"{\"key\":\"{{k}}\",\"n\":1}","content_type":"application/json"}})";
  CHECK(body_of("{}", json) == R"({"key":"s","n":1})");
  CHECK(body_of(R"({"body":{"n":2,"own":3}})", json) == R"({"n":1,"own":3,"key":"s"})");
  CHECK(body_of(R"({"body":{}})", json, "application/json; charset=utf-8") == R"({"key":"s","n":1})");
  CHECK_THROWS_AS(body_of(R"({"body":[1]})", json), par::Error);
  CHECK_THROWS_AS(body_of(R"({"body":{}})", json, "text/plain"), par::Error);
  CHECK_THROWS_AS(body_of(R"({"body":{}})", json, "Application/JSON"), par::Error);
  CHECK(body_of("{}", json, nullptr, true) == R"("{\"key\":\"s\",\"n\":1}")");
  CHECK(body_of(R"({"body":{"own":1}})", json, nullptr, true) == R"({"own":1,"key":"s","n":1})");
  CHECK_THROWS_AS(body_of(R"({"body":{}})", R"({"body":{"content":"[1]","content_type":"a/b+json"}})"),
                  par::Error);
  CHECK(body_of(R"({"body":"x"})", R"({"body":{"content":"","content_type":"application/json"}})") == "x");

  const char* const text = R"({"body":{"content":"first","content_type":"text/plain"}})";
  CHECK(body_of("{}", text) == "first");
  CHECK(body_of(R"({"body":"second"})", text) == "first\r\nsecond");
  CHECK(body_of(R"({"body":"second"})", text, nullptr, true) == R"("first\r\nsecond")");
  CHECK_THROWS_AS(body_of(R"({"body":{}})", text), par::Error);
}

TEST_CASE("a form keeps input order, and data URIs become files") {
  const Inputs inputs(R"({"formData":[{"key":"b\"q","value":"1"},
      {"key":"f","value":" data:image/png;base64,AQID ","type":"datauri"},{"key":"over","value":"x","type":"string"}]})");
  const par::Connection connection(
      R"({"root_tokens":[{"name":"t","value":"T"}],"body":{"content_type":"multipart/form-data",
      "content":"[{\"key\":\"over\",\"value\":\"{{t}}\"},{\"key\":\"new\",\"value\":\"n\"}]"}})");
  const Form form = make_form(inputs, connection, false);
  const std::string boundary = form.content_type.substr(form.content_type.find('=') + 1);
  const std::string line = "--" + boundary + "\r\nContent-Disposition: form-data; name=";
  CHECK(form.bytes == line + "\"b\\\"q\"\r\n\r\n1\r\n" + line +
                          "\"f\"; filename=\"f.png\"\r\nContent-Type: image/png\r\n\r\n\x01\x02\x03\r\n" +
                          line + "\"over\"\r\n\r\nT\r\n" + line + "\"new\"\r\n\r\nn\r\n--" + boundary +
                          "--\r\n");
  const Form plain = make_form(inputs, connection, true);
  CHECK(plain.bytes.find("AQID") != std::string::npos);
  CHECK(plain.bytes.find("filename") == std::string::npos);
  CHECK(plain.content_type != form.content_type);
  CHECK(make_form(inputs, connection, true).bytes.find("AQID") != std::string::npos);
  CHECK(make_form(Inputs("{}"), par::Connection("{}"), false).bytes.empty());
}

TEST_CASE("a connection's field replaces all input fields of its key") {
  const Inputs inputs(
      R"({"formData":[{"key":"a","value":"1"},{"key":"b","value":"2"},{"key":"a","value":"3"}]})");
  const par::Connection connection(
      R"({"body":{"content_type":"multipart/form-data","content":"[{\"key\":\"a\",\"value\":\"9\"}]"}})");
  const std::string bytes = make_form(inputs, connection, false).bytes;
  CHECK(bytes.find("name=\"a\"\r\n\r\n9\r\n") < bytes.find("name=\"b\""));
  CHECK(bytes.find("name=\"a\"") == bytes.rfind("name=\"a\""));
  for (const char* content : {"{}", "[1]", "[{\\\"key\\\":\\\"a\\\"}]", "text"}) {
    CAPTURE(content);
    const par::Connection bad(R"({"body":{"content_type":"multipart/form-data","content":")" +
                              std::string(content) + "\"}}");
    CHECK(message_of([&] { make_form(inputs, bad, false); }).find("the form of the connection") == 0);
  }
}

TEST_CASE("a data URI may be wrapped in lines and lack its padding") {
  const Inputs inputs(
      R"({"formData":[{"key":"f","value":"\n data:text/plain;base64,QUJ\r\n DRA \n","type":"datauri"}]})");
  const std::string bytes = make_form(inputs, par::Connection("{}"), false).bytes;
  CHECK(bytes.find("Content-Type: text/plain\r\n\r\nABCD\r\n--") != std::string::npos);
}

TEST_CASE("a form field that cannot be read is named") {
  for (const char* field :
       {R"({"key":"f","value":"x","type":"file"})", R"({"key":"f","value":"AQID","type":"datauri"})",
        R"({"key":"f","value":"data:;base64,AQID","type":"datauri"})",
        R"({"key":"f","value":"data:a/b,AQID","type":"datauri"})",
        R"({"key":"f","value":"data:a/b;x=1;base64,AQID","type":"datauri"})",
        R"({"key":"f","value":"data:a/b;base64,AQIDB","type":"datauri"})",
        R"({"key":"f","value":"data:a/b;base64,A=ID","type":"datauri"})",
        R"({"key":"f","value":"data:a/b\r\nX: y;base64,AQID","type":"datauri"})"}) {
    const Inputs inputs(R"({"formData":[)" + std::string(field) + "]}");
    CHECK(message_of([&] { make_form(inputs, par::Connection("{}"), false); }).substr(0, 14) ==
          "form field \"f\"");
  }
}

TEST_CASE("a failing status shows the start of the body") {
  CHECK(status_error(404, "Not Found", "") == "HTTP status 404 Not Found");
  CHECK(status_error(500, "", "oops") == "HTTP status 500: oops");
  const std::string text =
      status_error(400, "Bad Request", std::string(749, 'x') + "ä" + std::string(100, 'y'));
  CHECK(text ==
        "HTTP status 400 Bad Request: " + std::string(749, 'x') + "... (truncated, 851 bytes in all)");
}

TEST_CASE("a client certificate needs its key, and both must be PEM text") {
  const std::string certificate = R"("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n")";
  const std::string key = R"("-----BEGIN EC PRIVATE KEY-----\nMA==\n-----END EC PRIVATE KEY-----\n")";
  const auto with = [](const std::string& tokens) {
    return ClientIdentity::of(par::Connection("{\"auth\":\"token\",\"root_tokens\":[" + tokens + "]}"));
  };
  const auto token = [](const char* name, const std::string& value) {
    return "{\"name\":\"" + std::string(name) + "\",\"value\":" + value + "}";
  };
  CHECK(with("").certificate.empty());
  CHECK_FALSE(with(token("serverRootCACertificate", certificate)).ca.empty());
  const par::Connection both("{\"root_tokens\":[" + token("clientCertPairCrt", certificate) + "," +
                             token("clientCertPairKey", key) + "]}");
  CHECK_FALSE(ClientIdentity::of(both).key.empty());
  const struct {
    std::string tokens;
    const char* part;
  } rows[] = {
      {token("clientCertPairCrt", certificate), "but not \"clientCertPairKey\""},
      {token("clientCertPairKey", key), "but not \"clientCertPairCrt\""},
      {token("clientCertPairCrt", "\"MA==\""), "\"clientCertPairCrt\" is not PEM"},
      {token("clientCertPairKey", certificate), "\"clientCertPairKey\" is not PEM"},
      {token("serverRootCACertificate", "\"/etc/ca.pem\""), "\"serverRootCACertificate\" is not PEM"},
  };
  for (const auto& row : rows) {
    const std::string message = message_of([&] { with(row.tokens); });
    CAPTURE(message);
    CHECK(message.find(row.part) != std::string::npos);
    CHECK(message.find("MA==") == std::string::npos);
  }
}

TEST_CASE("checksums in each algorithm and form") {
  const auto hash = [](const char* algorithm, const char* form) {
    Checksum checksum(algorithm);
    checksum.add("a");
    checksum.add("bc");
    return digest_text(checksum.finish(), form);
  };
  CHECK(hash("", "") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash("md5", "hex") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hash("sha1", "hex") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hash("sha384", "hex").size() == 96);
  CHECK(hash("sha512", "hex").size() == 128);
  CHECK(hash("sha1", "base64") == "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
  CHECK(hash("sha1", "base64url") == "qZk-NkcGgWq6PiVxeFDCbJzQ2J0");
  CHECK(hash("md5", "binary").substr(0, 3) == "\xC2\x90\x01");
  CHECK(message_of([&] { hash("sha3", ""); }).find("sha512") != std::string::npos);
  CHECK(message_of([&] { hash("md5", "base32"); }).find("base64url") != std::string::npos);
}

TEST_CASE("the test request of a connection stands below its base URL") {
  const auto url_for = [](const std::string& base, const std::string& testing) {
    const Probe probe = Probe::of(par::Connection(
        R"({"root_tokens":[{"name":"t","value":"T"}],"base_url":")" + base + "\"," + testing + "}"));
    return probe.verb + " " + probe.url;
  };
  CHECK(url_for("https://h/api/", R"("testing":{"path":"/health?x={{t}}","verb":"HEAD"})") ==
        "HEAD https://h/api/health?x=T");
  CHECK(url_for("https://h:8443", R"("testing":{"path":"health"})") == "GET https://h:8443/health");
  CHECK(url_for("https://{{t}}", R"("testing":{"path":"?q=1"})") == "GET https://T?q=1");
  CHECK(url_for("https://h/a?b=1", R"("testing":{"verb":"POST"})") == "POST https://h/a");
  CHECK(message_of([&] { url_for("https://h", R"("testing":{})"); }).find("test path") != std::string::npos);
  CHECK(message_of([&] { url_for("", R"("testing":{"path":"/x"})"); }).find("base URL") != std::string::npos);
}
