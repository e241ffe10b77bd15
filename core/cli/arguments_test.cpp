#include "core/cli/arguments.hpp"

#include "core/cli/installation.hpp"
#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("each command line means one command") {
  CHECK(parse_arguments({})->command == Command::run);
  CHECK(parse_arguments({"--check"})->command == Command::check);
  CHECK(parse_arguments({"--list-actions"})->command == Command::list_actions);
  CHECK_FALSE(parse_arguments({"--list-actions"})->json);
  CHECK(parse_arguments({"--list-actions", "--json"})->json);
  CHECK(parse_arguments({"--json", "--list-actions"})->json);
  CHECK(parse_arguments({"--list-actions", "--rbac"})->rbac);
  CHECK(parse_arguments({"--healthcheck"})->command == Command::healthcheck);
  CHECK(parse_arguments({"--version"})->command == Command::version);
  CHECK(parse_arguments({"--help"})->command == Command::help);
}

TEST_CASE("enrolling has two names, three formats, an output and two ways") {
  CHECK(parse_arguments({"--enroll"})->command == Command::enroll);
  CHECK(parse_arguments({"--enroll-and-print-config"})->command == Command::enroll);
  CHECK(parse_arguments({"--enroll"})->format == EnrollmentFormat::config);
  CHECK(parse_arguments({"--enroll"})->output.empty());
  CHECK_FALSE(parse_arguments({"--enroll"})->with_api_key);
  const auto all = parse_arguments({"--with-api-key", "--enroll", "-f", "helm-values", "-o", "/tmp/values"});
  REQUIRE(all);
  CHECK(all->command == Command::enroll);
  CHECK(all->with_api_key);
  CHECK(all->format == EnrollmentFormat::helm_values);
  CHECK(all->output == "/tmp/values");
  CHECK(parse_arguments({"--enroll", "-f", "env", "--output", "x"})->output == "x");
  const auto run = parse_arguments({"--with-api-key"});
  REQUIRE(run);
  CHECK(run->command == Command::run);
  CHECK(run->with_api_key);
}

TEST_CASE("invoke names an action and its inputs, and perhaps a credential file") {
  const auto parsed =
      parse_arguments({"invoke", "com.example.x.do", "--inputs", "in.json", "--connection", "c.json"});
  REQUIRE(parsed);
  CHECK(parsed->command == Command::invoke);
  CHECK(parsed->action == "com.example.x.do");
  CHECK(parsed->inputs == "in.json");
  CHECK(parsed->connection == "c.json");
  CHECK(parse_arguments({"invoke"}).error().message == "invoke has no value behind it");
  CHECK(parse_arguments({"invoke", "a.b"}).error().message == "invoke needs --inputs FILE, a JSON object");
  CHECK(parse_arguments({"--inputs", "x"}).error().message == "--inputs goes with invoke only");
}

TEST_CASE("what does not go together is refused") {
  CHECK(parse_arguments({"--enroll", "-f", "yaml"}).error().message ==
        "-f yaml: expected config, helm-values or env");
  CHECK(parse_arguments({"--enroll", "-f"}).error().message == "-f has no value behind it");
  CHECK(parse_arguments({"--enroll", "-o"}).error().message == "-o has no value behind it");
  CHECK(parse_arguments({"-f", "env"}).error().message == "-f goes with --enroll only");
  CHECK(parse_arguments({"--check", "-o", "x"}).error().message == "-o goes with --enroll only");
  CHECK(parse_arguments({"--check", "--with-api-key"}).error().message ==
        "--with-api-key goes with running and --enroll only");
  CHECK_FALSE(parse_arguments({"--enroll", "--check"}));
}

TEST_CASE("arguments that mean nothing are refused by name") {
  CHECK(parse_arguments({"--frobnicate"}).error().message == "unknown argument --frobnicate");
  CHECK(parse_arguments({"check"}).error().message == "unknown argument check");
  CHECK_FALSE(parse_arguments({""}));
  CHECK_FALSE(parse_arguments({"--check=1"}));
  CHECK(parse_arguments({"--check", "--version"}).error().message ==
        "--check and --version cannot go together");
  CHECK_FALSE(parse_arguments({"--json"}));
  CHECK_FALSE(parse_arguments({"--check", "--json"}));
  CHECK(parse_arguments({"--rbac"}).error().message == "--rbac goes with --list-actions only");
  CHECK(parse_arguments({"--list-actions", "--rbac", "--json"}).error().message ==
        "--json and --rbac cannot go together");
}

TEST_CASE("the usage names every command and exit code") {
  for (const char* const part :
       {"--enroll", "--with-api-key", "-f config|helm-values|env", "-o FILE", "--check", "--list-actions",
        "--json", "--rbac", "--healthcheck", "--version", "--help", "DD_PRIVATE_RUNNER_CONFIG_DIR",
        "exit codes: 0 ", "\n            1 ", "\n            2 ", "\n            3 "}) {
    CAPTURE(part);
    CHECK(usage().find(part) != std::string_view::npos);
  }
}

TEST_CASE("plugins are below the prefix, or beside the programs of a build tree") {
  const TestDirectory tree;
  const auto program = tree.path() / "bin/par-runner";
  CHECK(default_plugins_directory(program) == tree.path() / "lib/par-runner/plugins");
  tree.write("CMakeCache.txt", "");
  CHECK(default_plugins_directory(program) == tree.path() / "plugins");
  tree.write("lib/par-runner/plugins/x", "");
  CHECK(default_plugins_directory(program) == tree.path() / "lib/par-runner/plugins");
}
