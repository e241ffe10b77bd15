#include "core/cli/check.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/cli/report.hpp"
#include "core/config/test_directory.hpp"
#include "core/identity/identity.hpp"
#include "core/plugin/catalog.hpp"
#include "core/services/trust_store.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

// A report whose lines can be read.
class Lines {
 public:
  ~Lines() {
    std::fclose(file_);
    std::free(text_);
  }
  Report& report() { return report_; }
  bool failed() const { return report_.failed(); }
  bool have(const std::string& part) {
    std::fflush(file_);
    const std::string all(text_, size_);
    INFO(all);
    CHECK(all.find(part) != std::string::npos);
    return true;
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* file_ = ::open_memstream(&text_, &size_);
  Report report_{file_};
};

// The throw-away identity that the official chart's own tests use.
constexpr const char* k_key =
    "eyJ1c2UiOiJzaWciLCJrdHkiOiJFQyIsImtpZCI6IkxXbl9LLU9qbXQ4TFJ6TWdjbFY4dTRMYUVsdF9mZGpCN2RXdlJ2TkVhN2ciLCJj"
    "cnYiOiJQLTI1NiIs"
    "ImFsZyI6IkVTMjU2IiwieCI6Imd3MVFKNVBQQXJmZk56XzdmWmZxX0xMYjhTV0MyaXhJUDFBbDh2SjJmVTgiLCJ5IjoiRjQ4VGRWZVhI"
    "Rnpack05N1BwbnFM"
    "ZFRUOG9iWDdKa2N5d3RzQ2RhLXRpayIsImQiOiJaczdDQ0MzMkRJQkpuaUZ5S1hFV0VvWThrZ1ZXMTVZbGdTYU9ISm5uX1drIn0";

}  // namespace

TEST_CASE("the report is one line for each finding and remembers failures") {
  Lines lines;
  lines.report().ok("keys", "2 from somewhere");
  lines.report().warn("plugins", "two\nlines");
  CHECK_FALSE(lines.failed());
  lines.report().fail("identity", "none");
  CHECK(lines.failed());
  lines.have(
      "ok    keys          2 from somewhere\nwarn  plugins       two lines\nFAIL  identity      none\n");
}

TEST_CASE("the identity is checked for presence and form") {
  Config config;
  Lines missing;
  CHECK(check_identity_settings(config, missing.report()) == nullptr);
  missing.have("FAIL  identity      this runner has no identity");

  config.urn = "urn:x";
  config.private_key = Secret("made-up");
  Lines malformed;
  CHECK(check_identity_settings(config, malformed.report()) == nullptr);
  malformed.have("urn: ");
  malformed.have("privateKey: ");

  config.urn = "urn:dd:apps:on-prem-runner:us1:2:runner-made-up";
  config.private_key = Secret(k_key);
  config.identity_source = "environment";
  Lines good;
  CHECK(check_identity_settings(config, good.report()) != nullptr);
  good.have("ok    identity      urn:dd:apps:on-prem-runner:us1:2:runner-made-up (from environment)");
}

TEST_CASE("the allowlist is held against the actions that are installed") {
  const Catalog catalog = Catalog::scan({PAR_TEST_PLUGINS});
  Config config;
  Lines empty;
  check_allowlist(config, catalog, empty.report());
  empty.have("warn  allowlist     actionsAllowlist is empty");

  config.actions_allowlist = {"com.example.cli.gett", "com.example.other.act"};
  Lines lines;
  check_allowlist(config, catalog, lines.report());
  lines.have("ok    allowlist     entries: 2");
  lines.have("did you mean \"com.example.cli.get\"?");
  lines.have("warn  allowlist     no plugin for com.example.other is installed");
  CHECK_FALSE(lines.failed());
}

TEST_CASE("plugins are checked with their settings, and loaded where the allowlist opens them") {
  const Catalog catalog = Catalog::scan({PAR_TEST_PLUGINS});
  Config config;
  Lines closed;
  check_plugins(config, catalog, closed.report());
  closed.have("ok    plugins       com.example.cli 1.2.3, actions: 3 (none allowed)");
  CHECK_FALSE(closed.failed());

  config.plugin_settings = {{"com.example.cli", R"({"size":"large"})"}, {"com.example.gone", "{}"}};
  Lines settings;
  check_plugins(config, catalog, settings.report());
  settings.have("FAIL  plugins       ");
  settings.have("size");
  settings.have("warn  plugins       there are settings for com.example.gone, which is not installed");

  config.plugin_settings = {{"com.example.cli", R"({"size":5})"}};
  config.actions_allowlist = {"com.example.cli.*"};
  Lines open;
  check_plugins(config, catalog, open.report());
  open.have("FAIL  plugins       " PAR_TEST_PLUGINS "/com.example.cli.so");

  Lines none;
  check_plugins(config, Catalog::scan({"/nonexistent"}), none.report());
  none.have("warn  plugins       no library in /nonexistent");
}

TEST_CASE("credential files are tried out, also those that Kubernetes mounts as links") {
  const TestDirectory home;
  Config config;
  config.directory = home.path();
  Lines none;
  check_credentials(config, none.report());
  none.have("credentials: 0");

  const char* const good = R"({"auth_type":"Token Auth","credentials":[]})";
  home.write("credentials/good.json", good);
  home.write("credentials/bad.json", "{");
  home.write("credentials/script.yaml", "a: b");
  home.write("credentials/mounted/..2026_01/token.json", good);
  std::filesystem::create_directory_symlink("..2026_01", home.path() / "credentials/mounted/..data");
  std::filesystem::create_symlink("..data/token.json", home.path() / "credentials/mounted/token.json");
  Lines lines;
  check_credentials(config, lines.report());
  lines.have("credentials: 2");
  lines.have("bad.json: malformed JSON");
}

TEST_CASE("certificates that cannot be read fail the check") {
  Config config;
  Lines good;
  CHECK(check_certificates(config, good.report()) != nullptr);
  good.have("ok    certificates");
  config.certificate_file = "/nonexistent.pem";
  Lines bad;
  CHECK(check_certificates(config, bad.report()) == nullptr);
  bad.have("FAIL  certificates");
}
