#include "plugins/common/encoding.hpp"

#include "tests/catch.hpp"

using namespace plugin_common;

TEST_CASE("bytes that are no UTF-8 are replaced one by one") {
  const std::string replacement = "\xEF\xBF\xBD";
  CHECK(to_valid_utf8("plain, \xC3\xA4 and \xF0\x9F\x98\x80") == "plain, \xC3\xA4 and \xF0\x9F\x98\x80");
  CHECK(to_valid_utf8("a\xE4z") == "a" + replacement + "z");
  CHECK(to_valid_utf8("\xC0\x80") == replacement + replacement);                    // overlong
  CHECK(to_valid_utf8("\xED\xA0\x80") == replacement + replacement + replacement);  // surrogate
  CHECK(to_valid_utf8("cut \xE2\x82") == "cut " + replacement + replacement);
  CHECK(is_valid_utf8("eight bytes and more \xC3\xA4"));
  CHECK_FALSE(is_valid_utf8("eight bytes and more \xC3"));
}

TEST_CASE("a text is cut between characters") {
  CHECK(utf8_prefix("a\xC3\xA4z", 2) == 1);
  CHECK(utf8_prefix("a\xC3\xA4z", 3) == 3);
  CHECK(utf8_prefix("a", 10) == 1);
}

TEST_CASE("base64 goes both ways, and only what is base64 is decoded") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xFB\xFF", "+/8="}};
  std::string back;
  for (const auto& [bytes, text] : rows) {
    CHECK(base64(bytes) == text);
    CHECK(base64_decode(text, back));
    CHECK(back == bytes);
  }
  CHECK(base64("\xFB\xFF", true) == "-_8=");
  for (const char* const wrong : {"Zg", "Zg=", "Z===", "-_8=", "Zm 9", "====="})
    CHECK_FALSE(base64_decode(wrong, back));
  CHECK(hex("\xAB\x01") == "ab01");
}

TEST_CASE("percent and form encoding keep the unreserved characters") {
  std::string out;
  append_percent_encoded(out, "aZ09-_.~ /?#%+\xC3\xA4");
  CHECK(out == "aZ09-_.~%20%2F%3F%23%25%2B%C3%A4");
  out.clear();
  append_percent_encoded(out, "a@b/c", "@");
  CHECK(out == "a@b%2Fc");
  out.clear();
  append_form_encoded(out, "a b+c&d=\xC3\xA4~");
  CHECK(out == "a+b%2Bc%26d%3D%C3%A4~");
}

TEST_CASE("a JSON string escapes what it must and nothing else") {
  std::string out;
  append_json_string(out, "\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA4");
  CHECK(out == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA4\"");
  CHECK(json_string_size("\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA4") == out.size());
}
