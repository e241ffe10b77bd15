#include "core/verify/directory_keys.hpp"

#include "core/verify/key_source_test.hpp"
#include "core/verify/test_keys.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

struct Fixture {
  bool next_set() {
    const size_t before = sets.size();
    return run_until(control, [&] { return sets.size() > before; });
  }
  void start() {
    source.start([this](auto keys) { sets.push_back(std::move(keys)); });
    REQUIRE(next_set());
  }
  // Long enough for many looks at the directory.
  void idle() {
    const auto end = std::chrono::steady_clock::now() + Milliseconds(100);
    run_until(control, [&] { return std::chrono::steady_clock::now() > end; });
  }

  TemporaryDirectory directory;
  TestLog lines;
  boost::asio::io_context control;
  std::vector<std::shared_ptr<const KeySet>> sets;
  DirectoryKeys source{control, lines.log, directory.path / "keys", Milliseconds(5)};
};

}  // namespace

TEST_CASE("keys of a directory come, change and go with their files") {
  Fixture test;
  std::filesystem::create_directory(test.directory.path / "keys");
  CHECK_THAT(test.source.problem(), Catch::Contains("about to be read"));
  test.start();
  CHECK(test.sets.back()->empty());
  CHECK_THAT(test.source.problem(), Catch::Contains("no usable file <key id>.json"));

  test.directory.write("keys/key-a.json", Ed25519Signer('a').json());
  REQUIRE(test.next_set());
  while (test.sets.back()->empty()) REQUIRE(test.next_set());  // it may have been seen half written
  CHECK(test.sets.back()->find("key-a") != nullptr);
  CHECK(test.source.problem().empty());
  const size_t count = test.sets.size();
  test.idle();
  CHECK(test.sets.size() == count);

  REQUIRE(write_file_atomically(test.directory.path / "keys/key-a.json", Ed25519Signer('b').json(), 0644));
  REQUIRE(test.next_set());
  while (test.sets.back()->size() != 1) REQUIRE(test.next_set());
  CHECK(test.sets.back()->find("key-a")->verify_digest(sha256("x"), Ed25519Signer('b').sign_digest_of("x")));

  std::filesystem::remove(test.directory.path / "keys/key-a.json");
  REQUIRE(test.next_set());
  CHECK(test.sets.back()->empty());
  test.source.stop();
  CHECK(run_until(test.control, [&] { return test.control.poll() == 0; }));
}

TEST_CASE("a bad key file is named and skipped, the others are used") {
  Fixture test;
  std::filesystem::create_directories(test.directory.path / "keys/directory.json");
  test.directory.write("keys/bad.json", "{}");
  test.directory.write("keys/.hidden.json", Ed25519Signer('a').json());
  test.directory.write("keys/readme.txt", "text");
  test.directory.write("keys/key.with.dots.json", Ed25519Signer('a').json());
  std::filesystem::create_symlink("gone", test.directory.path / "keys/dangling.json");
  test.start();
  CHECK(test.sets.back()->size() == 1);
  CHECK(test.sets.back()->find("key.with.dots") != nullptr);
  const std::string log = test.lines.text();
  CHECK_THAT(log, Catch::Contains("bad.json: it has no member 'keyType'"));
  CHECK_THAT(log, Catch::Contains("directory.json: not a regular file"));
  CHECK_THAT(log, Catch::Contains("dangling.json: No such file"));
  CHECK_THAT(log, !Catch::Contains("hidden") && !Catch::Contains("readme"));
  test.idle();
  CHECK(test.lines.text() == log);
}

TEST_CASE("an unreadable directory keeps the last keys") {
  Fixture test;
  test.source.start([&](auto keys) { test.sets.push_back(std::move(keys)); });
  REQUIRE(run_until(test.control,
                    [&] { return test.source.problem().find("No such file") != std::string::npos; }));
  CHECK(test.sets.empty());

  std::filesystem::create_directory(test.directory.path / "other");
  test.directory.write("other/key-a.json", Ed25519Signer('a').json());
  std::filesystem::rename(test.directory.path / "other", test.directory.path / "keys");
  REQUIRE(test.next_set());
  CHECK(test.sets.back()->size() == 1);

  std::filesystem::rename(test.directory.path / "keys", test.directory.path / "away");
  test.idle();
  CHECK(test.sets.size() == 1);
  CHECK(test.source.problem().empty());
  CHECK_THAT(test.lines.text(), Catch::Contains("the keys stay as they are"));
  std::filesystem::rename(test.directory.path / "away", test.directory.path / "keys");
  test.idle();
  CHECK(test.sets.back()->size() == 1);
}

TEST_CASE("a mounted volume that swaps its data directory is followed") {
  Fixture test;
  const auto keys = test.directory.path / "keys";
  std::filesystem::create_directories(keys / "..1");
  std::filesystem::create_directories(keys / "..2");
  test.directory.write("keys/..1/key-a.json", Ed25519Signer('a').json());
  test.directory.write("keys/..2/key-a.json", Ed25519Signer('b').json());
  std::filesystem::create_directory_symlink("..1", keys / "..data");
  std::filesystem::create_symlink("..data/key-a.json", keys / "key-a.json");
  test.start();
  CHECK(test.sets.back()->find("key-a")->verify_digest(sha256("x"), Ed25519Signer('a').sign_digest_of("x")));
  std::filesystem::create_directory_symlink("..2", keys / "..data_new");
  std::filesystem::rename(keys / "..data_new", keys / "..data");
  REQUIRE(test.next_set());
  CHECK(test.sets.back()->find("key-a")->verify_digest(sha256("x"), Ed25519Signer('b').sign_digest_of("x")));
}
