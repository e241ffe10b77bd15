#include "core/services/trust_store.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "core/services/openssl.hpp"
#include "core/services/testing/test_ca.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() {
    std::string name = (fs::temp_directory_path() / "par-trust-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Directory() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
    return (path / name).string();
  }
  fs::path path;
};

}  // namespace

TEST_CASE(
    "Every file of a certificate directory is read, whatever its name, but versions of a mounted volume") {
  const Directory directory;
  const TestCa one;
  const TestCa two;
  const TestCa hidden;
  directory.write("ca.crt", one.pem() + "words between\n" + two.pem());
  directory.write("README", "no certificate");
  fs::create_directory(directory.path / "..data");
  directory.write("..old.crt", hidden.pem());
  fs::create_directory(directory.path / "sub");
  const auto trust = TrustStore::load({{directory.path.string()}, ""});
  REQUIRE(trust);
  CHECK((*trust)->extra_certificates() == 2);
  CHECK((*trust)->warnings().size() == 2);  // they expire in 3 days
  const auto pem = (*trust)->pem().value();
  CHECK(pem.find(one.pem()) != std::string::npos);
  CHECK(pem.find(two.pem()) != std::string::npos);
  CHECK(pem.find(hidden.pem()) == std::string::npos);
  CHECK(parse_certificates(pem).size() > 100);  // with the system's
}

TEST_CASE("A certificate source that gives nothing is an error that names it") {
  const Directory directory;
  const auto empty = TrustStore::load({{directory.path.string()}, ""});
  REQUIRE(!empty);
  CHECK(empty.error().message.find(directory.path.string()) != std::string::npos);
  const std::string file =
      directory.write("x.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const auto broken = TrustStore::load({{}, file});
  REQUIRE(!broken);
  CHECK(broken.error().message.starts_with("SSL_CERT_FILE: " + file));
  CHECK(!TrustStore::load({{}, "/nonexistent/x"}));
  CHECK(!TrustStore::load({{"/nonexistent"}, ""}));
}

TEST_CASE("A certificate that is found several times counts and is reported once") {
  const Directory directory;
  const TestCa one;
  const TestCa two;
  const std::string file = directory.write("one.pem", one.pem());
  directory.write("bundle.pem", one.pem() + two.pem() + one.pem());
  fs::create_symlink("one.pem", directory.path / "0a775a30.0");
  const auto trust = TrustStore::load({{directory.path.string(), directory.path.string()}, file});
  REQUIRE(trust);
  CHECK((*trust)->extra_certificates() == 2);
  CHECK((*trust)->warnings().size() == 2);
}

TEST_CASE("An expired certificate of the operator is reported") {
  const Directory directory;
  const TestCa ca;
  const auto trust =
      TrustStore::load({{}, directory.write("old.pem", ca.issue({"old.test"}, -1).certificate)});
  REQUIRE(trust);
  REQUIRE((*trust)->warnings().size() == 1);
  CHECK((*trust)->warnings()[0].find("has expired") != std::string::npos);
  CHECK((*trust)->warnings()[0].find("old.test") != std::string::npos);
}
