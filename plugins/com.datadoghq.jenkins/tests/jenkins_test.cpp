#include <string>
#include <string_view>

#include "build_status.hpp"
#include "job_url.hpp"
#include "plugin-api/tests/run_action.hpp"
#include "tests/catch.hpp"

using namespace jenkins_plugin;
using par::test::FakeHost;

namespace {

constexpr const char* k_connection =
    R"({"auth":"token","root_tokens":[{"name":"domain","value":"https://ci/"},{"name":"username","value":"bot"},
        {"name":"token","value":"t0ken"}]})";

par_status run(FakeHost& fake, std::string_view action, std::string_view inputs,
               std::string_view connection = k_connection) {
  return par::test::run_action(fake, action, inputs, connection);
}

std::string message_of(void (*body)()) {
  try {
    body();
  } catch (const par::Error& error) {
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("a job's name becomes a path, folder by folder") {
  CHECK(job_url("https://ci", "app") == "https://ci/job/app");
  CHECK(job_url("https://ci/jenkins", "team/job/app") == "https://ci/jenkins/job/team/job/app");
  CHECK(job_url("https://ci", "name with space") == "https://ci/job/name%20with%20space");
  CHECK(job_url("https://ci", "a?b#c%2Fd;e\xC3\xA4") == "https://ci/job/a%3Fb%23c%252Fd%3Be%C3%A4");
  CHECK(job_url("https://ci", "$&+=:@") == "https://ci/job/$&+=:@");
}

TEST_CASE("a name that would reach something else than a job is refused") {
  for (const char* const name : {"", "/", "/app", "app/", "team//app", ".", "team/../app", "team/."}) {
    CAPTURE(name);
    CHECK_THROWS_AS(job_url("https://ci", name), par::Error);
  }
  CHECK(message_of([] { job_url("https://ci", "team/../app"); }) ==
        "jobName is \"team/../app\", which has the part \"..\"; expected the name of a job, or "
        "folder/job/name for a job "
        "in a folder");
}

TEST_CASE("the controller's URL needs its scheme and loses its last slash") {
  CHECK(controller_url("https://ci.example.net/") == "https://ci.example.net");
  CHECK(controller_url("http://127.0.0.1:8080/jenkins//") == "http://127.0.0.1:8080/jenkins");
  for (const char* const wrong :
       {"ci.example.net", "ftp://ci", "https://", "https:///job", "https://ci?x=1", "https://ci x"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(controller_url(wrong), par::Error);
  }
}

TEST_CASE("a redirect is a success only where Jenkins sends on to after what it has done") {
  for (const char* const good :
       {"https://ci/jenkins/job/app/", "http://ci:8080/jenkins/job/app/", "/jenkins/job/app/", "/jenkins/",
        "https://ci/jenkins", "https://ci/jenkins/queue/item/7/"}) {
    CAPTURE(good);
    CHECK(leads_to_jobs("https://ci/jenkins", good));
  }
  for (const char* const bad :
       {"https://login.example.net/?to=https://ci/jenkins/job/app/", "/jenkins/login?from=/job/app/",
        "/job/app/", "https://ci.evil.net/jenkins/job/app/", "https://other/jenkins/"}) {
    CAPTURE(bad);
    CHECK_FALSE(leads_to_jobs("https://ci/jenkins", bad));
  }
  CHECK(origin_of("https://ci/jenkins", "https://u:p@sso.example.net:444/login?x") ==
        "https://sso.example.net:444");
  CHECK(origin_of("https://ci:8443/jenkins", "/login") == "https://ci:8443");
}

TEST_CASE("a deletion or start that is sent elsewhere has not happened") {
  for (const int status : {301, 302, 303, 307, 308}) {
    FakeHost fake;
    fake.http_status = status;
    fake.answer_headers = {{"location", "https://login.example.net/start?secret=1"}};
    CHECK(run(fake, "deleteJenkinsJob", R"({"jobName":"app"})") == PAR_ERROR);
    CAPTURE(fake.message);
    CHECK(fake.message.find("leads to https://login.example.net;") != std::string::npos);
    CHECK(fake.message.find("secret") == std::string::npos);
  }
  FakeHost done;
  done.http_status = 302;
  done.answer_headers = {{"location", "https://ci/"}};
  CHECK(run(done, "deleteJenkinsJob", R"({"jobName":"app"})") == PAR_OK);
}

TEST_CASE("a build's parameters are sorted with the delay among them") {
  CHECK(build_query({{"b", "x y"}, {"z", "\xC3\xA4&="}, {"", "1"}}) == "=1&b=x+y&delay=0sec&z=%C3%A4%26%3D");
  CHECK(build_query({}) == "delay=0sec");
  CHECK_THROWS_AS(build_query({{"delay", "1"}}), par::Error);
}

TEST_CASE("the status of a build has what Jenkins tells, and nothing that is empty") {
  CHECK(
      build_status(
          R"({"displayName":"#42","duration":61234,"estimatedDuration":60000,"id":"42","building":false,
      "result":"SUCCESS","url":"https://ci/job/app/42/","fullDisplayName":"app #42"})") ==
      R"({"displayName":"#42","duration":61234,"estimatedDuration":60000,"id":"42","result":"SUCCESS","url":"https://ci/job/app/42/"})");
  CHECK(build_status(
            R"({"building":true,"duration":0,"estimatedDuration":-1,"result":null,"building":true})") ==
        R"({"estimatedDuration":-1,"inProgress":true})");
  CHECK(
      build_status(
          R"({"displayName":7,"duration":"long","estimatedDuration":1.5,"id":null,"building":"yes","url":[]})") ==
      "{}");
  CHECK(build_status(R"({"duration":61234.0,"estimatedDuration":9223372036854775807})") ==
        R"({"duration":61234,"estimatedDuration":9223372036854775807})");
  for (const char* const wrong : {"", "[]", "null", "<html>", "{\"a\":"})
    CHECK_THROWS_AS(build_status(wrong), par::Error);
}

TEST_CASE("requests carry the credentials, which are known to the redactor first") {
  FakeHost fake;
  fake.http_status = 302;
  CHECK(run(fake, "buildJenkinsJob", R"({"jobName":"app"})") == PAR_ERROR);
  fake.http_status = 201;
  fake.answer_headers = {{"location", "https://ci/queue/item/7/"}};
  CHECK(
      run(fake, "buildJenkinsJob",
          R"({"jobName":"app","buildWithParameters":{"option":"with_parameters","parameters":{"A":"1 2"}}})") ==
      PAR_OK);
  CHECK(
      fake.sent ==
      "POST https://ci/job/app/buildWithParameters?A=1+2&delay=0sec\nAccept: application/json\nContent-Type: "
      "application/json\nAuthorization: Basic Ym90OnQwa2Vu\nflags=1 timeout=0 max=0\n");
  CHECK(fake.secrets.back() == "call Basic Ym90OnQwa2Vu");
  CHECK(fake.result == R"({"queueUrl":"https://ci/queue/item/7/"})");
}

TEST_CASE("parameters count only with their option") {
  for (const char* const inputs :
       {R"({"jobName":"app"})", R"({"jobName":"app","buildWithParameters":{}})",
        R"({"jobName":"app","buildWithParameters":{"option":"no_parameters","parameters":{"A":"1"}}})"}) {
    FakeHost fake;
    CHECK(run(fake, "buildJenkinsJob", inputs) == PAR_OK);
    CHECK(fake.sent.starts_with("POST https://ci/job/app/build?delay=0sec\n"));
    CHECK(fake.result == "{}");
  }
  FakeHost fake;
  CHECK(run(fake, "buildJenkinsJob",
            R"({"jobName":"app","buildWithParameters":{"option":"with_parameters"}})") == PAR_OK);
  CHECK(fake.sent.starts_with("POST https://ci/job/app/buildWithParameters?delay=0sec\n"));
}

TEST_CASE("a status outside of 2xx names the request without its query") {
  FakeHost fake;
  fake.http_status = 409;
  CHECK(
      run(fake, "buildJenkinsJob",
          R"({"jobName":"app","buildWithParameters":{"option":"with_parameters","parameters":{"A":"private"}}})") ==
      PAR_ERROR);
  CHECK(fake.message ==
        "Jenkins answered HTTP status 409 to POST https://ci/job/app/buildWithParameters; the job is "
        "disabled, or it "
        "cannot be built now");
}

TEST_CASE("tokens that are missing or cannot be used are named") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"root_tokens":[{"name":"domain","value":"https://ci"},{"name":"username","value":"bot"}]})",
       "\"token\""},
      {R"({"root_tokens":[{"name":"domain","value":"https://ci"},{"name":"token","value":"t"},{"name":"username","value":""}]})",
       "\"username\""},
      {R"({"root_tokens":[{"name":"username","value":"bot"},{"name":"token","value":"t"}]})", "\"domain\""},
      {R"({"root_tokens":[{"name":"domain","value":"ci"},{"name":"username","value":"bot"},{"name":"token","value":"t"}]})",
       "https://ci.example.net"},
      {R"({"root_tokens":[{"name":"domain","value":"https://ci"},{"name":"username","value":"a:b"},{"name":"token","value":"t"}]})",
       "colon"}};
  for (const auto& [connection, text] : rows) {
    FakeHost fake;
    CHECK(run(fake, "getJobStatus", R"({"jobName":"app"})", connection) == PAR_ERROR);
    CAPTURE(fake.message);
    CHECK(fake.message.find(text) != std::string::npos);
    CHECK(fake.sent.empty());
  }
}
