#include "response.hpp"

#include <par/sdk/error.hpp>

#include "tests/catch.hpp"
#include "text.hpp"

using namespace http_plugin;
using namespace std::string_literals;

namespace {

std::string convert(std::string body, const char* content_type, const char* parsing = "",
                    const char* encoding = "") {
  return body_json(std::move(body), content_type == nullptr ? "" : content_type, parsing, encoding);
}

}  // namespace

TEST_CASE("JSON passes through as it came") {
  CHECK(convert(R"({ "big": 9007199254740993, "x": "é" })", "application/json") ==
        R"({ "big": 9007199254740993, "x": "é" })");
  CHECK(convert("[1]", "Application/JSON; charset=utf-8") == "[1]");
  CHECK(convert("7", "application/json") == "7");
  CHECK(convert("\"caf\xE9\"", "application/json; charset=ISO-8859-1") == "\"café\"");
}

TEST_CASE("JSON that does not parse comes as text") {
  CHECK(convert("{\"a\":", "application/json") == R"("{\"a\":")");
  CHECK(convert("1e400", "application/json") == "\"1e400\"");
  CHECK(convert(std::string(256, '[') + std::string(256, ']'), "application/json").front() == '"');
  CHECK(convert(std::string(255, '[') + std::string(255, ']'), "application/json").front() == '[');
}

TEST_CASE("lone surrogates in JSON become the replacement character") {
  CHECK(convert(R"(["\ud800", "\uDC00x", "\ud83d\ude00", "\\ud800"])", "application/json") ==
        R"(["\ufffd", "\ufffdx", "\ud83d\ude00", "\\ud800"])");
  CHECK(convert(R"("\ud800\u0041")", "application/json") == R"("\ufffd\u0041")");
}

TEST_CASE("only application/json is parsed unless asked for") {
  CHECK(convert("{\"a\":1}", "application/problem+json") == R"("{\"a\":1}")");
  CHECK(convert("{\"a\":1}", "application/problem+json", "json") == "{\"a\":1}");
  CHECK(convert("{\"a\":1}", "application/json", "raw") == R"("{\"a\":1}")");
  CHECK(convert("{\"a\":1}", "application/json", "other") == R"("{\"a\":1}")");
}

TEST_CASE("text is escaped and always valid UTF-8") {
  CHECK(convert("a\"b\\c\n\t\x01\x7F", "text/plain") == "\"a\\\"b\\\\c\\n\\t\\u0001\x7F\"");
  CHECK(convert("\xC3\xA4\xFF\xE2\x82", "text/plain") == "\"\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(convert("\xED\xA0\x80", "text/plain") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(convert("caf\xE9", "text/html;charset=iso-8859-1") == "\"café\"");
  CHECK(convert("", "application/json") == "\"\"");
  CHECK(convert("", "not / a type") == "\"\"");
}

TEST_CASE("binary types come in base64") {
  for (const char* type :
       {"image/png", "video/mp4", "audio/mpeg", "font/ttf", "model/obj", "application/octet-stream"}) {
    CHECK(convert("\x01\x02\x03\x04", type) == "\"AQIDBA==\"");
  }
  CHECK(convert("%PDF-1", "application/pdf") == "\"%PDF-1\"");
}

TEST_CASE("every encoding by its name") {
  for (const char* name : {"ascii", "utf8", "utf-8", "binary"})
    CHECK(convert("\xC3\xA4", "text/plain", "", name) == "\"ä\"");
  for (const char* name : {"utf16le", "ucs2", "ucs-2"}) {
    CHECK(convert("a\0=\xD8\0\xDE"s, "text/plain", "", name) == "\"a😀\"");
  }
  CHECK(convert("\0\xD8"s, "text/plain", "", "utf16le") == "\"\xEF\xBF\xBD\"");
  CHECK_THROWS_AS(convert("abc", "text/plain", "", "utf16le"), par::Error);
  CHECK(convert("\xE4", "text/plain", "", "latin1") == "\"ä\"");
  CHECK(convert("\xFB\xFF", "text/plain", "", "base64") == "\"+/8=\"");
  CHECK(convert("\xFB\xFF", "text/plain", "", "base64url") == "\"-_8=\"");
  CHECK(convert("\xAB\x01", "image/png", "", "hex") == "\"ab01\"");
  CHECK_THROWS_AS(convert("a", "text/plain", "", "utf7"), par::Error);
}

TEST_CASE("an answer without a type is guessed") {
  CHECK(convert("{\"a\":1}", nullptr) == R"("{\"a\":1}")");
  CHECK(convert("\x89PNG\r\n\x1A\n", nullptr) == "\"iVBORw0KGgo=\"");
  CHECK(convert("\x01\x02", nullptr) == "\"AQI=\"");
  CHECK(convert("hello", "") == "\"hello\"");
}

TEST_CASE("malformed types are errors") {
  for (const char* type : {"text/", "a b/c", "text/plain; charset", "text/plain charset=x",
                           "text/plain; a=1; a=2", "text/plain; a=b=c", "text/plain; a=\"b"}) {
    CAPTURE(type);
    CHECK_THROWS_AS(convert("x", type), par::Error);
  }
  CHECK(convert("x", "text/plain; charset=\"utf-8\" ; ") == "\"x\"");
  CHECK(convert("\xE4", "text/plain; charset = iso88591; charset=iso88591") == "\"ä\"");
}

TEST_CASE("forms become objects of first values") {
  CHECK(convert("a=1&b=x+y%21&a=2&c", "application/x-www-form-urlencoded") ==
        R"({"a":"1","b":"x y!","c":""})");
}

TEST_CASE("multipart answers become lists of parts") {
  const std::string body =
      "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ntext\r\n"
      "--B\r\ncontent-disposition: form-data; name=f; filename=\"p.png\"\r\nContent-Type: "
      "image/png\r\n\r\n\x01\x02\x03\r\n"
      "--B\r\nContent-Disposition: form-data; name=j\r\nContent-Type: application/json\r\n\r\n{\"x\":1}\r\n"
      "--B\r\nContent-Disposition: form-data; name=e\r\n\r\n\r\n--B--\r\n";
  CHECK(convert(body, "multipart/form-data; boundary=B") ==
        R"([{"Filename":"","Name":"a","Type":"text/plain","Data":"text"},)"
        R"({"Filename":"p.png","Name":"f","Type":"image/png","Data":"AQID"},)"
        R"({"Filename":"","Name":"j","Type":"application/json","Data":{"x":1}},)"
        R"({"Filename":"","Name":"e","Type":"text/plain","Data":""}])");
  CHECK(convert(body, "multipart/form-data; boundary=B", "", "hex").find("\"Data\":\"010203\"") !=
        std::string::npos);
  CHECK(convert("--B--", "multipart/form-data; boundary=B") == "[]");
  // Every way to cut it short is an error, never a crash.
  for (size_t size = 1; size < body.size() - 4; ++size) {
    CHECK_THROWS_AS(convert(body.substr(0, size), "multipart/form-data; boundary=B"), par::Error);
  }
  CHECK_THROWS_AS(convert(body, "multipart/form-data"), par::Error);
}

TEST_CASE("headers are grouped under canonical names") {
  CHECK(headers_json(
            {{"x-trace", "a1"}, {"Set-Cookie", "a"}, {"content-type", "t\"x"}, {"set-cookie", "b\xFF"}}) ==
        "{\"Content-Type\":[\"t\\\"x\"],\"Set-Cookie\":[\"a\",\"b\xEF\xBF\xBD\"],\"X-Trace\":[\"a1\"]}");
  CHECK(headers_json({}) == "{}");
}
