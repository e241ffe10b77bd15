#include "core/dispatch/banner.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/base/json.hpp"
#include "core/config/config.hpp"
#include "core/config/test_directory.hpp"
#include "core/plugin/catalog.hpp"
#include "core/policy/allowlist.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;

namespace {

struct Start {
  Start() {
    config.api_url = parse_url("https://api.datadoghq.test").value();
    config.remote_config_url = parse_url("https://config.datadoghq.test").value();
    config.modes = {"pull"};
    config.actions_allowlist = {"com.example.echo.echo"};
    config.plugins_directories = {PAR_TEST_PLUGINS};
  }

  /// The lines of the log, parsed: first the banner, then warnings.
  std::vector<json::Document> lines() const {
    const FileDescriptor file(::memfd_create("log", MFD_CLOEXEC));
    Redactor redactor;
    const Log log(file.get(), LogFormat::json, LogLevel::info, redactor);
    log_banner(log, config, ActionsAllowlist(config.actions_allowlist),
               Catalog::scan(config.plugins_directories), *TrustStore::load({}).value());
    std::string text(1 << 16, '\0');
    text.resize(static_cast<size_t>(::pread(file.get(), text.data(), text.size(), 0)));
    std::vector<json::Document> out;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      out.push_back(parse_json(std::string_view(text).substr(0, end)).value());
      text.erase(0, end + 1);
    }
    return out;
  }

  std::vector<std::string> warnings() const {
    std::vector<std::string> out;
    const auto all = lines();
    for (size_t at = 1; at < all.size(); ++at) {
      CHECK(all[at]["level"] == "warn");
      out.emplace_back(json::write(all[at]));
    }
    return out;
  }

  Config config;
};

std::string text(const json::Document& line, const char* name) {
  const auto* value = json::find(line, name);
  REQUIRE(value != nullptr);
  return value->IsString() ? std::string(json::text(*value)) : json::write(*value);
}

}  // namespace

TEST_CASE("the start banner says what runs where, and nothing more if nothing looks wrong") {
  const auto lines = Start().lines();
  REQUIRE(lines.size() == 1);
  CHECK(text(lines[0], "message") == "par-runner starts");
  CHECK(text(lines[0], "config") == "environment only");
  CHECK(text(lines[0], "api") == "https://api.datadoghq.test");
  CHECK(text(lines[0], "modes") == "pull");
  CHECK(text(lines[0], "keys") == "Remote Config, https://config.datadoghq.test");
  CHECK(text(lines[0], "allowed_actions") == "1");
  CHECK(text(lines[0], "allowed_hosts") == "all hosts");
  CHECK(text(lines[0], "plugins") == "1");
  CHECK(text(lines[0], "http_proxy") == "none");
  CHECK(text(lines[0], "dogstatsd") == "off");
}

TEST_CASE("the start banner names the settings that are not the default") {
  Start start;
  start.config.directory = "/etc/par";
  start.config.has_file = true;
  start.config.keys_directory = "/keys";
  start.config.host_allowlist = {"a.test", "b.test"};
  start.config.https_proxy = "http://user:hunter22@proxy.test:3128/path?query";
  start.config.dogstatsd = DogStatsdAddress{"agent.test", 8125, {}};
  const auto line = std::move(start.lines().at(0));
  CHECK(text(line, "config") == "/etc/par/config.yaml");
  CHECK(text(line, "keys") == "directory /keys");
  CHECK(text(line, "allowed_hosts") == "2 patterns");
  CHECK(text(line, "https_proxy") == "http://proxy.test:3128");
  CHECK(text(line, "dogstatsd") == "udp://agent.test:8125");
  CHECK(json::write(line).find("hunter22") == std::string::npos);
}

TEST_CASE("a proxy is shown without what may be secret in its URL") {
  CHECK(proxy_text("") == "none");
  CHECK(proxy_text("proxy.test:8080") == "http://proxy.test:8080");
  CHECK(proxy_text("user:hunter22@proxy.test") == "http://proxy.test");
  CHECK(proxy_text("https://user:hunter22@proxy.test:8443/") == "https://proxy.test:8443");
  CHECK(proxy_text("http://user:hunter22@") == "not a URL");
}

TEST_CASE("the start warns once of each thing that looks wrong, and names what to change") {
  const TestDirectory directory;
  directory.write("com.example.broken.so", "not a library");
  Start start;
  const auto only_warning = [&](const std::vector<std::string>& parts) {
    const auto warnings = start.warnings();
    REQUIRE(warnings.size() == 1);
    for (const auto& part : parts) {
      CAPTURE(part, warnings[0]);
      CHECK(warnings[0].find(part) != std::string::npos);
    }
  };
  SECTION("what reading the configuration found") {
    start.config.warnings = {"unknown key `prot`, did you mean `port`?"};
    only_warning({"did you mean `port`"});
  }
  SECTION("a mode that is not served") {
    start.config.serves_push = true;
    only_warning({"`push`", "not served"});
  }
  SECTION("an empty allowlist") {
    start.config.actions_allowlist = {};
    only_warning({"no action is allowed", "actionsAllowlist"});
  }
  SECTION("an action that its plugin does not have") {
    start.config.actions_allowlist = {"com.example.echo.ecco"};
    only_warning({"com.example.echo.ecco", "com.example.echo.echo"});
  }
  SECTION("a bundle without a library") {
    start.config.actions_allowlist.emplace_back("com.example.absent.*");
    only_warning({"com.example.absent.so", "install the package"});
  }
  SECTION("a library that cannot be used, if the allowlist names it") {
    start.config.plugins_directories.emplace_back(directory.path());
    CHECK(start.warnings().empty());
    start.config.actions_allowlist.emplace_back("com.example.broken.*");
    only_warning({"com.example.broken", "cannot be used", "ELF"});
  }
  SECTION("a directory of plugins that is not there") {
    start.config.plugins_directories.emplace_back("/nonexistent/plugins");
    only_warning({"/nonexistent/plugins"});
  }
}
