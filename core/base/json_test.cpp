#include "core/base/json.hpp"

#include <cstdlib>
#include <memory>

#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("JSON that other parsers would pass is refused with the reason") {
  CHECK(parse_json(std::string(300, '[') + std::string(300, ']')).error().message.find("nested too deeply") !=
        std::string::npos);
  CHECK(parse_json(R"(["\udc00"])").error().message.find("lone surrogate") != std::string::npos);
  for (const char* text :
       {"", "[1,]", "{\"a\":1} x", "[\"\xff\"]", "[\"\\ud800\"]", "{'a':1}", "[1e400]", "nul"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text));
  }
  CHECK_FALSE(parse_json(std::string_view("{}\0junk", 7)));
  CHECK_FALSE(parse_json(std::string_view("{}\0", 3)));
  CHECK(parse_json("{} \n"));
  const std::string deep(1'000'000, '[');
  CHECK_FALSE(parse_json(deep));
}

TEST_CASE("JSON text survives reading and writing") {
  for (const char* text :
       {R"({"a":[1,-2,3.5,true,null,"ü\n"]})", "9007199254740993", "18446744073709551615", "-0.5"}) {
    CHECK(par::json::write(parse_json(text).value()) == text);
  }
}

TEST_CASE("numbers are written in their shortest form") {
  using par::json::number;
  CHECK(number(0.1 + 0.2) == "0.30000000000000004");
  CHECK(number(30) == "30");
  CHECK(number(1e15) == "1000000000000000");
  CHECK(number(1e21) == "1e+21");
  CHECK(number(1e-7) == "1e-07");
  CHECK(number(123456789.12345679) == "123456789.12345679");
  par::json::Document document;
  document.SetDouble(1.0);
  CHECK(par::json::write(document) == "1");
}

TEST_CASE("members are found by name") {
  const auto document = parse_json(R"({"a":{"b":"c"}})").value();
  const auto* a = par::json::find(document, "a");
  REQUIRE(a != nullptr);
  CHECK(par::json::text(*par::json::find(*a, "b")) == "c");
  CHECK(par::json::find(document, "x") == nullptr);
  CHECK(par::json::find(*par::json::find(*a, "b"), "x") == nullptr);
}

TEST_CASE("a zero with an exponent is zero") {
  const auto document = parse_json("[0e99,0.0e-300,0e308,0e-400,-0e30]");
  REQUIRE(document);
  for (const auto& value : document->GetArray()) CHECK(value.GetDouble() == 0);
}

TEST_CASE("a number of many digits is the nearest double") {
  // Twenty digits are 2^64 - 1, and what follows rounds them up.
  for (const std::string text :
       {"18446744073709551615.9", "-18446744073709551615.9", "184467440737095516155616.123456",
        "0.00000184467440737095516159", "1844674407370955161599999e-300", "123456789012345678901234567890",
        "0.1000000000000000055511151231257827021181583404541015625", "1.7976931348623157e308",
        "4.9406564584124654e-324", "123456789012345678901234567890e-400", "9007199254740993.0"}) {
    CAPTURE(text);
    const auto document = parse_json(text);
    REQUIRE(document);
    CHECK(document->GetDouble() == std::strtod(text.c_str(), nullptr));
  }
}

TEST_CASE("a number beyond the range of a double is refused, not infinite") {
  for (const std::string_view text : {"9e308", "-9e308", "1e309", "17976931348623159e292", "0.5e310"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text));
  }
  CHECK(parse_json("[9e308]").error().message.find("beyond the range") != std::string::npos);
}

TEST_CASE("parsing in place ends at the end of the text, even in the middle of a character") {
  for (const std::string_view text : {"{\"a\xf3", "\"\xe0", "\"\xf0x", "\xf0", "\xe2\x82", ""}) {
    // Exactly the bytes and the NUL on the heap, so that the address sanitizer sees any read past them.
    const auto copy = std::make_unique<char[]>(text.size() + 1);
    text.copy(copy.get(), text.size());
    rapidjson::Document ignored;
    std::string error;
    auto generator = [&](par::json::Document& handler) {
      return par::json::parse_in_place(copy.get(), text.size(), handler, error);
    };
    ignored.Populate(generator);
    CHECK_FALSE(error.empty());
  }
}
