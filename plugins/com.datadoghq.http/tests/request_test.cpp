#include "plugin-api/tests/run_action.hpp"
#include "tests/catch.hpp"

using par::test::FakeHost;

namespace {

par_status run(const char* action, FakeHost& fake, std::string_view inputs,
               std::string_view connection = "{}", std::string_view settings = "{}") {
  return par::test::run_action(fake, action, inputs, connection, settings);
}

par_status request(FakeHost& fake, std::string_view inputs, std::string_view connection = "{}",
                   std::string_view settings = "{}") {
  return run("request", fake, inputs, connection, settings);
}

}  // namespace

TEST_CASE("a request gives status, body and headers") {
  FakeHost fake;
  fake.answer_headers = {{"content-type", "application/json"}, {"x-trace", "a1"}};
  fake.pieces = {"{\"build\":", "\"7f3a\"}"};
  CHECK(request(fake, R"({"verb":"POST","url":"http://h/p?q=1","body":{"a":1},
      "requestHeaders":[{"key":"Content-Type","value":["application/json"]}],"urlParams":[{"key":"b","value":"2"}]})") ==
        PAR_OK);
  CHECK(fake.sent ==
        "POST http://h/p?b=2&q=1\nContent-Type: application/json\nflags=4 timeout=0 max=15728640\n{\"a\":1}");
  CHECK(
      fake.result ==
      R"({"status":200,"body":{"build":"7f3a"},"headers":{"Content-Type":["application/json"],"X-Trace":["a1"]}})");
}

TEST_CASE("flags, settings and credentials reach the host") {
  FakeHost fake;
  CHECK(request(
            fake,
            R"({"verb":"GET","url":"https://u:p@h/","followRedirect":false,"allowExpiredCertificate":true})",
            "{}", R"({"maxResponseBytes":5})") == PAR_OK);
  CHECK(fake.sent == "GET https://h/\nAuthorization: Basic dTpw\nflags=3 timeout=0 max=5\n");
  CHECK(fake.secrets == std::vector<std::string>{"call dTpw"});
  CHECK(fake.result == R"({"status":200,"body":"","headers":{}})");
}

TEST_CASE("a status of 400 and above fails with the body's text") {
  FakeHost fake;
  fake.http_status = 404;
  fake.pieces = {"no such thing"};
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/"})") == PAR_ERROR);
  CHECK(fake.message == "HTTP status 404 Fine: no such thing");
  CHECK(fake.display.empty());
  CHECK(fake.result.empty());
}

TEST_CASE("errorOnStatus adds errors") {
  FakeHost fake;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/","errorOnStatus":["404","200-204"]})") == PAR_ERROR);
  CHECK(fake.message == "HTTP status 200 is among errorOnStatus (404, 200-204)");
  // A malformed entry ends the action before anything is sent, or afterwards as elsewhere.
  for (const char* mistake : {R"("errorOnStatus":["4xx"])", R"("responseEncoding":"utf7")"}) {
    const std::string inputs = R"({"verb":"GET","url":"http://h/",)" + std::string(mistake) + "}";
    CAPTURE(inputs);
    fake.sent.clear();
    fake.pieces = {"x"};
    CHECK(request(fake, inputs) == PAR_ERROR);
    CHECK(fake.sent.empty());
    CHECK(request(fake, inputs, "{}", R"({"strictUpstream":true})") == PAR_ERROR);
    CHECK_FALSE(fake.sent.empty());
  }
}

TEST_CASE("an unfollowed redirect fails unless statuses are listed") {
  FakeHost fake;
  fake.http_status = 302;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/","followRedirect":false})") == PAR_ERROR);
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/","followRedirect":false,"errorOnStatus":["500"]})") ==
        PAR_OK);
}

TEST_CASE("strictUpstream follows redirects and quotes texts") {
  FakeHost fake;
  CHECK(request(fake, R"({"verb":"PUT","url":"http://h/","followRedirect":false,"body":"x"})", "{}",
                R"({"strictUpstream":true})") == PAR_OK);
  CHECK(fake.sent == "PUT http://h/\nflags=4 timeout=0 max=15728640\n\"x\"");
  fake.http_status = 304;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/","followRedirect":false})", "{}",
                R"({"strictUpstream":true})") == PAR_ERROR);
}

TEST_CASE("a body that cannot be converted is reported before a failing status, and names it") {
  FakeHost fake;
  fake.http_status = 502;
  fake.answer_headers = {{"content-type", "text/"}};
  fake.pieces = {"x"};
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/"})") == PAR_ERROR);
  CHECK(fake.message.find("the Content-Type of the response is malformed") == 0);
  CHECK(fake.message.find("HTTP status 502 Fine") != std::string::npos);
}

TEST_CASE("a checksum is made of the body, whatever its size") {
  FakeHost fake;
  fake.pieces = {"a", "bc"};
  CHECK(run("getChecksumFromURL", fake, R"({"url":"http://h/f?x=1","algorithm":"md5"})") == PAR_OK);
  CHECK(fake.sent == "GET http://h/f?x=1\nflags=0 timeout=0 max=18446744073709551615\n");
  CHECK(fake.result == R"({"checksum":"900150983cd24fb0d6963f7d28e17f72"})");
  fake.sent.clear();
  CHECK(run("getChecksumFromURL", fake, R"({"url":"http://h/","algorithm":"crc32"})") == PAR_ERROR);
  CHECK(run("getChecksumFromURL", fake, R"({"url":"http://h/","digest":"x"})") == PAR_ERROR);
  CHECK(fake.sent.empty());
  fake.http_status = 404;
  fake.pieces = {"gone"};
  CHECK(run("getChecksumFromURL", fake, R"({"url":"http://h/"})") == PAR_ERROR);
  CHECK(fake.message == "HTTP status 404 Fine: gone");
}

TEST_CASE("a connection is tested by its own request") {
  FakeHost fake;
  const char* const connection =
      R"({"auth":"basic","root_tokens":[{"name":"username","value":"u"},{"name":"password","value":"p"}],
      "base_url":"https://h:8443/api","testing":{"path":"/health","verb":"HEAD"}})";
  CHECK(run("testConnection", fake, "{}", connection) == PAR_OK);
  CHECK(fake.sent.find("HEAD https://h:8443/api/health\nAuthorization: Basic dTpw\n") == 0);
  CHECK(fake.result == R"({"status":200,"body":"","headers":{}})");
  fake.http_status = 401;
  CHECK(run("testConnection", fake, "{}", connection) == PAR_ERROR);
  CHECK(run("testConnection", fake, "{}") == PAR_ERROR);
}

TEST_CASE("local mistakes show the step to the user and the detail to the operator") {
  FakeHost fake;
  const struct {
    const char* inputs;
    const char* display;
  } rows[] = {
      {R"({"verb":"GET","url":"http://h/","requestHeaders":[{"key":"Host"}]})",
       "The request headers are not valid"},
      {R"({"verb":"GET","url":"http://h/","requestHeaders":[{"key":"A","value":["{{#x}}"]}]})",
       "The request headers are not valid"},
      {R"({"verb":"A B","url":"http://h/"})", "The request could not be created"},
      {R"({"verb":"GET","url":"nowhere"})", "The request URL is not valid"},
      {R"({"verb":"GET","url":"http://h/","formData":[{"key":"f","type":"x"}]})",
       "The request form could not be built"},
      {R"({"verb":"GET","url":"http://h/","body":"x","formData":[{"key":"f"}]})", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.inputs);
    CHECK(request(fake, row.inputs) == PAR_ERROR);
    CHECK(fake.display == row.display);
    CHECK_FALSE(fake.message.empty());
    CHECK(fake.sent.empty());
  }
}

TEST_CASE("a refusal by policy is shown, a transport failure is generic") {
  FakeHost fake;
  fake.failure_text = "the cause";
  fake.send_status = PAR_POLICY;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/"})") == PAR_POLICY);
  CHECK(fake.message == "the cause");
  CHECK(fake.display.empty());
  fake.send_status = PAR_CONNECT;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/"})") == PAR_CONNECT);
  CHECK(fake.display == "The HTTP request failed");
  fake.send_status = PAR_INVALID;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/"})") == PAR_ERROR);
  CHECK(fake.display == "The request could not be created");
}

TEST_CASE("a body beyond the limit names the setting") {
  FakeHost fake;
  fake.pieces = {"abc"};
  fake.read_status = PAR_LIMIT;
  CHECK(request(fake, R"({"verb":"GET","url":"http://h/"})") == PAR_LIMIT);
  CHECK(fake.message ==
        "the response body is larger than 15728640 bytes; ask the server for less, or raise maxResponseBytes "
        "under plugins.com.datadoghq.http in the runner's configuration");
}

TEST_CASE("a connection binds the request to its host") {
  FakeHost fake;
  const char* const connection =
      R"({"root_tokens":[{"name":"k","value":"s"}],"base_url":"https://api.example:8443",
      "headers":[{"name":"X-Key","value":"{{k}}"}],"url_parameters":[{"name":"p","value":"{{k}}"}]})";
  CHECK(request(fake, R"({"verb":"GET","url":"https://api.example/x"})", connection) == PAR_ERROR);
  CHECK(fake.sent.empty());
  CHECK(request(fake, R"({"verb":"GET","url":"https://api.example:8443/x"})", connection) == PAR_OK);
  CHECK(fake.sent.substr(0, 48) == "GET https://api.example:8443/x?p=s\nX-Key: s\nflag");
}
