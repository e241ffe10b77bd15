#include "core/plugin/loader.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/plugin/library_file.hpp"
#include "tests/abi/harness.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using par::core::testing::Host;
using par::core::testing::Running;

namespace {

std::string run_broken(Host& host) {
  return host.run("com.example.broken", "run");
}

}  // namespace

TEST_CASE("each way in which a library can be wrong has a message of its own") {
  struct Row {
    const char* variant;
    const char* message;
  };
  const Row rows[] = {
      {"foreign_manifest", "its manifest() differs from its section .par_manifest"},
      {"missing_function", "its table has no function execute"},
      {"missing_library", "undefined symbol: par_test_function_that_no_library_has"},
      {"needs_newer_minor", "needs plugin ABI 1.1, this runner has 1.0; use a newer runner"},
      {"no_symbol", "does not export par_plugin_v1"},
      {"no_table", "its par_plugin_v1() returned no table"},
      {"short_table", "its table is too short: 32 bytes, expected at least 64"},
      {"wrong_magic", "wrong magic 0x12345678, expected 0x31524150"},
      {"wrong_major", "built for plugin ABI 2, this runner has 1"},
      {"open_fails", "plugin com.example.broken cannot be opened: the licence has expired"},
      {"open_throws", "plugin com.example.broken cannot be opened: "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.variant);
    Host host(row.variant);
    const std::string text = run_broken(host);
    CAPTURE(text);
    CHECK(text.starts_with("1: plugin com.example.broken cannot be opened: "));
    CHECK(text.find(row.message) != std::string::npos);
    CHECK(text.find("dlerror") == std::string::npos);
    CHECK(host.logged("cannot be opened"));
    CHECK(run_broken(host) == text);  // the invoker goes on
  }
}

TEST_CASE("a plugin built with a later minor runs, and does without what this host does not have") {
  Host host("newer_minor");
  CHECK(run_broken(host) == R"(<{"without":"later"}>)");
}

TEST_CASE("several pinned libraries are each the one that was hashed, also when one is loaded again") {
  const std::string directory = PAR_TEST_PLUGINS;
  const std::vector<std::filesystem::path> places = {directory + "/newer_minor", directory + "/echo"};
  std::map<std::string, std::string> hashes;
  const Catalog unpinned = Catalog::scan(places);
  for (const auto& [name, entry] : unpinned.entries()) {
    hashes[name] = file_sha256(*open_library(entry.file)).value();
  }
  REQUIRE(hashes.size() == 2);
  const Catalog catalog = Catalog::scan(places, hashes);
  const auto first = load_plugin(*catalog.find("com.example.broken"));
  const auto again = load_plugin(*catalog.find("com.example.broken"));
  const auto second = load_plugin(*catalog.find("com.example.echo"));
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(again);
  CHECK(*first != *second);
  CHECK(*first == *again);
}

TEST_CASE("a library whose namespace is not its file's name is never loaded") {
  Host host("misnamed");
  const CatalogEntry* const entry = host.catalog().find("com.example.other");
  REQUIRE(entry != nullptr);
  CHECK(entry->manifest.error().message.find(
            "the library is of namespace com.example.broken, so its file must be named "
            "com.example.broken.so") != std::string::npos);
  CHECK(host.run("com.example.other", "run").find("must be named com.example.broken.so") !=
        std::string::npos);
  CHECK(host.run("com.example.broken", "run") == "1: no plugin library for com.example.broken is installed");
}

TEST_CASE("a failed open is tried again by a later task") {
  Host host("opens_at_second_try");
  CHECK(run_broken(host) == "1: plugin com.example.broken cannot be opened: try again");
  CHECK(run_broken(host) == "<{}>");
}

TEST_CASE("a failed open is not tried again too soon") {
  InvokerLimits limits = Host::patient();
  limits.reopen_delay = Host::k_long;
  Host host("open_fails", limits);
  const std::string first = run_broken(host);
  CHECK(run_broken(host) == first);
  const std::string log = host.log();
  CHECK(log.find("cannot be opened") == log.rfind("cannot be opened"));  // one attempt, one line
}

TEST_CASE("an open that hangs closes the namespace, and its tasks fail with what to do") {
  Host host("open_hangs", Host::hasty());
  Running first = host.start("com.example.broken", "run");
  Running second = host.start("com.example.broken", "run");
  const std::string expected =
      "1: plugin com.example.broken: its library hangs while it is opened and is used no more; restart the "
      "runner";
  CHECK(first.text() == expected);
  CHECK(second.text() == expected);
  CHECK(run_broken(host) == expected);
  CHECK(host.invoker().abandoned() == 0);
}

TEST_CASE("a task that waits for an open can be cancelled, and is failed at once when the runner stops") {
  Host host("open_hangs");
  Running cancelled = host.start("com.example.broken", "run");
  Running drained = host.start("com.example.broken", "run");
  CHECK_FALSE(cancelled.has_reply_within(Milliseconds(100)));
  cancelled.call().cancel("the task was lost");
  CHECK(cancelled.text() == "1: the task was lost; the task was not started");
  drained.call().drain();
  const auto reply = drained.reply();
  CHECK(reply.text() == "1: the runner is stopping; the task was not started");
  CHECK_FALSE(reply.given_up);
}

TEST_CASE("settings that do not fit the plugin's schema keep it closed") {
  Host host("echo", Host::patient(), {{"com.example.echo", R"({"greeting":5})"}});
  CHECK(host.run("com.example.echo", "echo") ==
        "1: plugin com.example.echo cannot be opened: plugins.com.example.echo.greeting is the number 5, "
        "expected a "
        "string");
}

TEST_CASE("the catalog knows all readable libraries, and says of the others what is wrong") {
  namespace fs = std::filesystem;
  std::string name = (fs::temp_directory_path() / "par-catalog-XXXXXX").string();
  const fs::path directory = ::mkdtemp(name.data());
  std::ofstream(directory / "com.example.echo.so") << "not a library";
  std::ofstream(directory / "README.txt") << "ignored";
  fs::create_directory(directory / "com.example.folder.so");
  const auto catalog =
      Catalog::scan({PAR_TEST_PLUGINS "/misbehaving", directory, PAR_TEST_PLUGINS "/echo", "/not/there"});
  CHECK(catalog.entries().size() == 3);
  CHECK(catalog.find("com.example.misbehaving")->manifest.has_value());
  // The first directory wins, even with a file that is no library.
  CHECK(catalog.find("com.example.echo")->manifest.error().message ==
        (directory / "com.example.echo.so").string() + ": not an ELF file: too short");
  CHECK(catalog.find("com.example.folder")->manifest.error().message.find("not a regular file") !=
        std::string::npos);
  CHECK(catalog.find("README") == nullptr);
  REQUIRE(catalog.warnings().size() == 1);
  CHECK(catalog.warnings()[0].find("/not/there cannot be read") != std::string::npos);
  const auto actions = catalog.actions();
  CHECK(std::is_sorted(actions.begin(), actions.end()));
  CHECK(std::find(actions.begin(), actions.end(), "com.example.misbehaving.throws") != actions.end());
  fs::remove_all(directory);
}
