#include "core/enrollment/directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/json.hpp"
#include "core/config/test_directory.hpp"
#include "core/enrollment/credential_templates.hpp"
#include "tests/catch.hpp"

using namespace par::core;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory))
    names.push_back(entry.path().filename().native());
  return names;
}

}  // namespace

TEST_CASE("an identity directory is made, proved and left as it was") {
  const TestDirectory home;
  const fs::path path = home.path() / "a/b";
  const auto directory = IdentityDirectory::claim(path);
  REQUIRE(directory);
  CHECK(names_in(path).empty());
}

TEST_CASE("config.yaml appears at one stroke with mode 0600, through a link too") {
  const TestDirectory home;
  const fs::path target = home.write("elsewhere/real.yaml", "old");
  fs::create_symlink(target, home.path() / "config.yaml");
  const auto directory = IdentityDirectory::claim(home.path());
  REQUIRE(directory);
  REQUIRE(directory->store_config("new\n"));
  CHECK(read_file(target, 100).value() == "new\n");
  CHECK(mode_of(target) == 0600);
  CHECK(fs::is_symlink(home.path() / "config.yaml"));
  CHECK(names_in(target.parent_path()).size() == 1);
}

TEST_CASE("a directory that cannot be there is refused with what to do") {
  const TestDirectory home;
  const fs::path file = home.write("file", "");
  const auto is_file = IdentityDirectory::claim(file);
  REQUIRE_FALSE(is_file);
  CHECK(is_file.error().message.find("DD_PRIVATE_RUNNER_CONFIG_DIR") != std::string::npos);
  CHECK(is_file.error().message.find("Nothing was sent") != std::string::npos);
  // No user can make anything there.
  const auto in_proc = IdentityDirectory::claim("/proc/par-test");
  REQUIRE_FALSE(in_proc);
  CHECK(in_proc.error().message.find("mkdir -p /proc/par-test && chown") != std::string::npos);
}

TEST_CASE("one process at a time has the directory") {
  const TestDirectory home;
  const FileDescriptor other(::open(home.path().c_str(), O_RDONLY | O_DIRECTORY));
  {
    const auto directory = IdentityDirectory::claim(home.path());
    REQUIRE(directory);
    CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) != 0);
  }
  CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
}

TEST_CASE("templates are written for the integrations of the allowlist, never over a file") {
  const TestDirectory home;
  home.write("credentials/http_token.json", "mine");
  const auto directory = IdentityDirectory::claim(home.path());
  REQUIRE(directory);
  const auto written = directory->write_credential_templates(
      {"com.datadoghq.http.request", "com.datadoghq.jenkins.*", "com.datadoghq.kubernetes.core.listPod",
       "com.example.postgresql.select"});
  REQUIRE(written);
  std::vector<std::string> expected;
  for (const auto& entry : credential_templates()) {
    if ((entry.file.starts_with("http_") || entry.file.starts_with("jenkins_")) &&
        entry.file != "http_token.json")
      expected.emplace_back(entry.file);
  }
  CHECK(*written == expected);
  CHECK(read_file(home.path() / "credentials/http_token.json", 100).value() == "mine");
  CHECK(mode_of(home.path() / "credentials/jenkins_token.json") == 0600);
  CHECK(read_file(home.path() / "credentials/jenkins_token.json", 10'000).value() ==
        read_file(fs::path(PAR_SOURCE_DIR) / "config/credentials/jenkins_token.json", 10'000).value());
  CHECK(directory->write_credential_templates({"com.datadoghq.http.request"}).value().empty());
  CHECK_FALSE(names_in(home.path() / "credentials").empty());
}

TEST_CASE("no templates, no folder") {
  const TestDirectory home;
  const auto directory = IdentityDirectory::claim(home.path());
  REQUIRE(directory);
  CHECK(directory->write_credential_templates({"com.datadoghq.kubernetes.core.listPod"}).value().empty());
  CHECK_FALSE(fs::exists(home.path() / "credentials"));
}

TEST_CASE("every template is JSON") {
  CHECK_FALSE(credential_templates().empty());
  for (const CredentialTemplate& entry : credential_templates()) {
    CAPTURE(entry.file);
    CHECK(parse_json(entry.content));
  }
}
