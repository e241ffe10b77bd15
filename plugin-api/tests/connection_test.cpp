#include <par/connection.hpp>

#include "catch.hpp"

TEST_CASE("a connection gives its tokens in order and its settings by name") {
  const par::Connection connection(R"({"id":"c1","auth":"token",
      "root_tokens":[{"name":"b","value":"2"},{"name":"a","value":"1"},{"name":"e","value":""}],
      "base_url":"https://h","headers":[{"name":"X","value":"y"}],"url_parameters":[],
      "body":{"content":"{}","content_type":"application/json"},"testing":{"path":"/up","verb":"GET"}})");
  CHECK(connection.id() == "c1");
  CHECK(connection.auth() == par::Connection::Auth::token);
  REQUIRE(connection.root_tokens().size() == 3);
  CHECK(connection.root_tokens()[0].name == "b");
  CHECK(connection.require("a") == "1");
  CHECK(connection.token("z") == nullptr);
  CHECK_THROWS_AS(connection.require("z"), par::Error);
  CHECK_THROWS_AS(connection.require("e"), par::Error);
  CHECK(connection.base_url() == "https://h");
  REQUIRE(connection.headers().size() == 1);
  CHECK(connection.headers()[0].value == "y");
  CHECK(connection.body_content_type() == "application/json");
  CHECK(connection.testing_verb() == "GET");
}

TEST_CASE("an empty connection has nothing and no authentication") {
  const par::Connection connection("{}");
  CHECK(connection.auth() == par::Connection::Auth::none);
  CHECK(connection.root_tokens().empty());
  CHECK(connection.base_url().empty());
  CHECK(connection.body_content().empty());
}

TEST_CASE("text that is no connection is a defect of the host") {
  for (const char* text : {"", "[]", "{\"id\":"}) {
    try {
      const par::Connection connection(text);
      FAIL("accepted");
    } catch (const par::Error& error) {
      CHECK(error.status() == PAR_INTERNAL);
    }
  }
}
