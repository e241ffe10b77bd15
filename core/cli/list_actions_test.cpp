#include "core/cli/list_actions.hpp"

#include "core/base/json.hpp"
#include "core/plugin/catalog.hpp"
#include "core/policy/allowlist.hpp"
#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("actions are listed by full name, one a line") {
  CHECK(list_actions(Catalog::scan({PAR_TEST_PLUGINS})) ==
        "com.example.cli.get\ncom.example.cli.odd\ncom.example.cli.set\n");
  CHECK(list_actions(Catalog::scan({"/nonexistent"})).empty());
}

TEST_CASE("actions are listed as JSON with what is known of them") {
  const Catalog catalog = Catalog::scan({PAR_TEST_PLUGINS});
  const ActionsAllowlist allowlist({"com.example.cli.set"});
  const auto list = parse_json(list_actions_json(catalog, &allowlist));
  REQUIRE(list);
  REQUIRE(list->Size() == 3);
  const par::json::Value& get = (*list)[0];
  CHECK(par::json::text(get["name"]) == "com.example.cli.get");
  CHECK(par::json::text(get["summary"]) == "Gets \"it\"");
  CHECK(par::json::text(get["effect"]) == "reads");
  CHECK(par::json::text(get["library"]) == PAR_TEST_PLUGINS "/com.example.cli.so");
  CHECK(par::json::text(get["version"]) == "1.2.3");
  CHECK(get["sha256"].GetStringLength() == 64);
  CHECK_FALSE(get["pinned"].GetBool());
  CHECK_FALSE(get["allowed"].GetBool());
  CHECK((*list)[2]["allowed"].GetBool());
  CHECK(par::json::text((*list)[2]["effect"]) == "writes");

  const auto unconfigured = parse_json(list_actions_json(catalog, nullptr));
  REQUIRE(unconfigured);
  CHECK_FALSE((*unconfigured)[0].HasMember("allowed"));
  CHECK(parse_json(list_actions_json(Catalog::scan({}), nullptr))->Empty());
}
