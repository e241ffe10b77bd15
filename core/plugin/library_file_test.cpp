#include "core/plugin/library_file.hpp"

#include <filesystem>
#include <fstream>

#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;
namespace fs = std::filesystem;

TEST_CASE("a library that everybody can write to is refused, and so is its directory") {
  const TestDirectory directory;
  const fs::path file = directory.path() / "x.so";
  std::ofstream(file) << "abc";
  fs::permissions(file, fs::perms(0644));
  REQUIRE(open_library(file));
  CHECK(*file_sha256(*open_library(file)) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  fs::permissions(file, fs::perms(0666));
  CHECK(open_library(file).error().message ==
        "everybody can write to it (mode 0666); take that away with chmod o-w");

  fs::permissions(directory.path(), fs::perms(0755));
  CHECK(check_library_directory(directory.path()));
  CHECK(check_library_directory("/not/there"));
  fs::permissions(directory.path(), fs::perms(0777));
  CHECK(check_library_directory(directory.path()).error().message.find("mode 0777") != std::string::npos);
  CHECK(open_library(directory.path()).error().message == "not a regular file");
}
