#include "core/verify/struct_json.hpp"

#include <limits>

#include "core/base/json.hpp"
#include "core/verify/wire/task.pb.h"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;

namespace {

std::string refusal(const wire::Struct& value) {
  const auto text = struct_to_json(value);
  REQUIRE_FALSE(text);
  return text.error().message;
}

// {"d": {"d": ... {} ...}} with `levels` objects.
wire::Struct nested(unsigned levels) {
  wire::Struct value;
  for (unsigned i = 1; i < levels; ++i) {
    wire::Struct outer;
    (*(*outer.mutable_fields())["d"].mutable_struct_value()).Swap(&value);
    value.Swap(&outer);
  }
  return value;
}

}  // namespace

TEST_CASE("a struct becomes compact JSON with sorted keys") {
  wire::Struct value;
  CHECK(struct_to_json(value) == "{}");
  auto& fields = *value.mutable_fields();
  fields["text"].set_string_value("a\"b\\c\n\r\t\x01\x7f \xc3\xbc </\xe2\x80\xa8");
  fields["yes"].set_bool_value(true);
  fields["no"].set_bool_value(false);
  fields["null"].set_null_value(0);
  fields["unset"];
  fields["a\"key"].set_number_value(1);
  auto& list = *fields["list"].mutable_list_value();
  list.add_values()->set_number_value(1.5);
  list.add_values()->mutable_struct_value();
  list.add_values()->mutable_list_value();
  list.add_values();
  CHECK(struct_to_json(value) ==
        "{\"a\\\"key\":1,\"list\":[1.5,{},[],null],\"no\":false,\"null\":null,"
        "\"text\":\"a\\\"b\\\\c\\n\\r\\t\\u0001\x7f \xc3\xbc </\xe2\x80\xa8\",\"unset\":null,\"yes\":true}");
}

TEST_CASE("numbers of a struct are written as JavaScript writes them") {
  const std::pair<double, const char*> cases[] = {{30, "30"},
                                                  {-1, "-1"},
                                                  {0.1, "0.1"},
                                                  {1e15, "1000000000000000"},
                                                  {9007199254740993.0, "9007199254740992"},
                                                  {5e-324, "5e-324"}};
  for (const auto& [number, text] : cases) {
    wire::Struct value;
    (*value.mutable_fields())["n"].set_number_value(number);
    CHECK(struct_to_json(value) == R"({"n":)" + std::string(text) + "}");
  }
}

TEST_CASE("what JSON cannot say is refused with its path") {
  wire::Struct value;
  auto& list = *(*value.mutable_fields())["a"].mutable_list_value();
  list.add_values();
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    list.mutable_values(0)->set_number_value(bad);
    CHECK(refusal(value) == "a number that is not finite in /a/0");
  }
  for (const char* bad : {"\xff", "\xed\xa0\x80", "\xc3"}) {
    list.mutable_values(0)->set_string_value(bad);
    CHECK(refusal(value) == "text that is not UTF-8 in /a/0");
  }
  wire::Struct bad_key;
  (*bad_key.mutable_fields())["\xff"].set_bool_value(true);
  CHECK(refusal(bad_key) == "text that is not UTF-8");
}

TEST_CASE("a struct may be as deep as JSON may be, and no deeper") {
  const auto deepest = struct_to_json(nested(json::k_max_depth));
  REQUIRE(deepest);
  CHECK(parse_json(*deepest));
  CHECK_THAT(refusal(nested(json::k_max_depth + 1)), Catch::StartsWith("more than 256 levels"));
}
