#include "core/enrollment/spare_copy.hpp"

#include <sys/stat.h>

#include "core/base/files.hpp"
#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("a spare copy goes to the first directory that takes it, as a new file of mode 0600") {
  const TestDirectory home;
  const auto first = keep_spare_copy({"", home.path() / "not-there", home.path()}, "identity\n");
  const auto second = keep_spare_copy({home.path()}, "another\n");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->parent_path() == home.path());
  CHECK(*first != *second);
  CHECK(read_file(*first, 100).value() == "identity\n");
  CHECK(read_file(*second, 100).value() == "another\n");
  struct stat info {};
  REQUIRE(::stat(first->c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
}
