// What needs no server: tokens of a connection, and results of workflows.

#include <string>
#include <vector>

#include <par/connection.hpp>
#include <par/plugin.hpp>

#include "endpoint.hpp"
#include "payload.hpp"
#include "temporal.pb.h"
#include "tests/catch.hpp"

using namespace temporal_plugin;

namespace {

Endpoint endpoint(const std::vector<std::pair<std::string, std::string>>& tokens) {
  rapidjson::StringBuffer buffer;
  par::json::Writer writer(buffer);
  writer.StartArray();
  for (const auto& [name, value] : tokens) {
    writer.StartObject();
    writer.Key("name");
    writer.String(name);
    writer.Key("value");
    writer.String(value);
    writer.EndObject();
  }
  writer.EndArray();
  return read_endpoint(
      par::Connection(R"({"id":"c","auth":"token","root_tokens":)" + std::string(buffer.GetString()) + "}"));
}

template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const par::Error& error) {
    return error.message();
  }
  return "no error";
}

void check_contains(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

wire::Payload payload(const char* encoding, std::string data) {
  wire::Payload made;
  (*made.mutable_metadata())["encoding"] = encoding;
  made.set_data(std::move(data));
  return made;
}

}  // namespace

TEST_CASE("addresses: host and port") {
  struct Row {
    const char* text;
    const char* host;
    int port;
  };
  for (const auto& [text, host, port] :
       {Row{"temporal.lab.internal:7300", "temporal.lab.internal", 7300}, Row{"temporal", "temporal", 7233},
        Row{"10.0.0.7", "10.0.0.7", 7233}, Row{"[fd00::7]:443", "fd00::7", 443},
        Row{"[fd00::7]", "fd00::7", 7233}, Row{"fd00::7", "fd00::7", 7233},
        Row{"h_1.x-y:65535", "h_1.x-y", 65535}}) {
    INFO(text);
    const Endpoint plain = endpoint({{"address", text}});
    CHECK(plain.host == host);
    CHECK(plain.port == port);
    CHECK(!plain.tls);
    CHECK(plain.authority == plain.shown());
    CHECK(endpoint({{"serverAddress", text}}).tls);
  }
  CHECK(endpoint({{"address", "fd00::7"}}).shown() == "[fd00::7]:7233");
}

TEST_CASE("addresses that cannot be used say what is wrong and which token it is") {
  for (const char* text : {"https://temporal:7233", "dns:///temporal", "temporal:", "temporal:0",
                           "temporal:65536", "temporal:1x", "temporal:-1", "[fd00::7", "[fd00::7]7233",
                           ":7233", "two words", "host\n", "host/path", "user@host", "h\xc3\xb6st", "a,b"}) {
    INFO(text);
    check_contains(error_of([&] { endpoint({{"address", text}}); }), "token \"address\"");
    check_contains(error_of([&] { endpoint({{"serverAddress", text}}); }), "token \"serverAddress\"");
  }
  check_contains(error_of([] { endpoint({}); }), "neither a token \"address\"");
  check_contains(error_of([] { endpoint({{"address", ""}, {"apiKey", "k"}}); }), "neither a token");
}

TEST_CASE("an address without TLS leaves all other tokens aside") {
  const Endpoint plain = endpoint({{"apiKey", "k"}, {"clientCertPairCrt", "no PEM"}, {"address", "h"}});
  CHECK(plain.api_key.empty());
  CHECK(!plain.tls);
}

TEST_CASE("tokens of TLS that cannot be used name the token and show nothing of it") {
  const std::string nothing = "no PEM at all, canary";
  const std::string damaged = "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n";
  struct Row {
    std::vector<std::pair<std::string, std::string>> tokens;
    const char* expected;
  };
  for (const Row& row : std::vector<Row>{
           {{{"serverRootCACertificate", nothing}}, "\"serverRootCACertificate\" holds no certificate"},
           {{{"serverRootCACertificate", damaged}},
            "\"serverRootCACertificate\" holds a certificate that is damaged"},
           {{{"clientCertPairCrt", damaged}}, "\"clientCertPairCrt\" without \"clientCertPairKey\""},
           {{{"clientCertPairKey", damaged}}, "\"clientCertPairKey\" without \"clientCertPairCrt\""},
           {{{"clientCertPairCrt", nothing}, {"clientCertPairKey", nothing}},
            "\"clientCertPairCrt\" holds no certificate"},
           {{{"serverNameOverride", "two words"}}, "\"serverNameOverride\""},
           {{{"apiKey", "canary\n"}}, "\"apiKey\" has a line break"},
           {{{"apiKey", "canary\x7f"}}, "\"apiKey\" has a line break"}}) {
    auto tokens = row.tokens;
    tokens.emplace_back("serverAddress", "h");
    const std::string text = error_of([&] { endpoint(tokens); });
    check_contains(text, row.expected);
    CHECK(text.find("canary") == std::string::npos);
  }
}

TEST_CASE("the name of the certificate is the override if there is one") {
  CHECK(endpoint({{"serverAddress", "h:1"}}).authority == "h:1");
  CHECK(endpoint({{"serverAddress", "h:1"}, {"serverNameOverride", "frontend.temporal"}}).authority ==
        "frontend.temporal");
}

TEST_CASE("results: strings, and with jsonResult the JSON text of everything else") {
  CHECK(read_result(payload("json/plain", R"("grüße \u2028")"), false) == "grüße \u2028");
  CHECK(read_result(payload("json/plain", R"("")"), true).empty());
  CHECK(read_result(payload("binary/null", ""), false).empty());
  CHECK(read_result(payload("json/plain", "null"), false).empty());
  CHECK(read_result(payload("binary/null", ""), true) == "null");
  CHECK(read_result(payload("json/plain", "null"), true) == "null");
  CHECK(read_result(payload("json/protobuf", R"({"a": 1})"), true) == R"({"a":1})");
  CHECK(read_result(payload("json/plain", R"({ "n": 12345678901234567890.000, "l": [ 1e3, true ] })"),
                    true) == R"({"n":12345678901234567890.000,"l":[1e3,true]})");
}

TEST_CASE("results that are no strings, or in no encoding that can be read, are errors") {
  struct Row {
    wire::Payload result;
    const char* expected;
  };
  for (const Row& row : std::vector<Row>{{payload("json/plain", "{}"), "is an object"},
                                         {payload("json/plain", "[1]"), "is a list"},
                                         {payload("json/plain", "42"), "is a number"},
                                         {payload("json/plain", "false"), "is a boolean"},
                                         {payload("binary/plain", "x"), "encoding \"binary/plain\""},
                                         {payload("json/protobuf", "{}"), "encoding \"json/protobuf\""},
                                         {wire::Payload(), "encoding \"\""},
                                         {payload("json/plain", "\"half"), "not valid JSON"},
                                         {payload("json/plain", "\"\\ud800\""), "not valid JSON"}}) {
    check_contains(error_of([&] { read_result(row.result, false); }), row.expected);
  }
  check_contains(error_of([] { read_result(payload("json/plain", "{1}"), true); }), "not valid JSON");
  check_contains(error_of([] { read_result(payload("binary/encrypted", ""), true); }), "binary/encrypted");
}
