#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/files.hpp"
#include "core/base/secret.hpp"
#include "core/base/strings.hpp"
#include "core/base/time.hpp"
#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("base64 follows RFC 4648 in both alphabets") {
  CHECK(base64_encode("").empty());
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foo") == "Zm9v");
  CHECK(base64_encode("\xfb\xff") == "+/8=");
  CHECK(base64url_encode("\xfb\xff") == "-_8");
  for (const char* text : {"Zm8=", "Zm8"}) CHECK(base64_decode(text) == "fo");
  CHECK(base64_decode("+/8=") == "\xfb\xff");
  CHECK(base64_decode("-_8") == "\xfb\xff");
  CHECK(base64_decode("") == "");
}

TEST_CASE("base64 refuses what is not exactly one encoding") {
  for (const char* text : {"Z", "Zm9v=", "Zg=", "Zh==", "Zm 8", "+_8=", "Zm8==", "====", "Zm9vY"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("hex and percent encoding") {
  CHECK(hex_encode(std::string_view("\x00\xff\x10", 3)) == "00ff10");
  CHECK(hex_decode("00FF10") == std::string("\x00\xff\x10", 3));
  CHECK_FALSE(hex_decode("0"));
  CHECK_FALSE(hex_decode("zz"));
  CHECK(percent_encode("a b/ü~") == "a%20b%2F%C3%BC~");
  CHECK(percent_encode("a/b", "/") == "a/b");
}

TEST_CASE("UTF-8 check knows overlong forms, surrogates and the last code point") {
  CHECK(is_utf8("aü€😀"));
  CHECK(is_utf8("\xf4\x8f\xbf\xbf"));
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80", "\xff"}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("digests match published vectors") {
  CHECK(hex_encode(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(random_bytes(16).size() == 16);
  CHECK(random_bytes(16) != random_bytes(16));
}

TEST_CASE("times are written and read as RFC 3339") {
  const SystemTime time{std::chrono::milliseconds(1767225600123)};
  CHECK(rfc3339(time) == "2026-01-01T00:00:00Z");
  CHECK(rfc3339_ms(time) == "2026-01-01T00:00:00.123Z");
  CHECK(parse_rfc3339("2026-01-01T00:00:00.123Z") == time);
  CHECK(parse_rfc3339("2026-01-01T02:00:00.123+02:00") == time);
  for (const char* text : {"2026-01-01", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("strings") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim("  ").empty());
  CHECK(split("a,,b", ',').size() == 3);
  CHECK(equals_ignoring_case("Content-Type", "content-TYPE"));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
  CHECK(cut_utf8("aü", 2) == "a");
  CHECK(cut_utf8("aü", 3) == "aü");
  const std::vector<std::string> names = {"com.datadoghq.http.request", "com.datadoghq.jenkins.getJobStatus"};
  CHECK(nearest("com.datadoghq.http.requests", names) == names[0]);
  CHECK(nearest("something.else.entirely", names).empty());
  CHECK(did_you_mean("com.datadoghq.http.requests", names) == " (did you mean \"" + names[0] + "\"?)");
  CHECK(did_you_mean("something.else.entirely", names).empty());
}

TEST_CASE("a secret keeps its value through copies and moves and is gone from where it was") {
  for (const std::string& text : {std::string("short"), std::string(100, 'x')}) {
    Secret first(text);
    Secret copy = first;
    CHECK(copy.reveal() == text);
    Secret moved = std::move(first);
    CHECK(moved.reveal() == text);
    CHECK(first.empty());  // NOLINT(bugprone-use-after-move): being empty afterwards is promised
    copy = std::move(moved);
    CHECK(copy.reveal() == text);
    CHECK(moved.empty());  // NOLINT(bugprone-use-after-move)
  }
}

TEST_CASE("files are read within a limit and written in one step") {
  const auto directory = std::filesystem::temp_directory_path() / ("par-base-" + hex_encode(random_bytes(6)));
  std::filesystem::create_directory(directory);
  const auto path = directory / "file";
  REQUIRE(write_file_atomically(path, "content", 0600));
  CHECK(read_file(path, 100).value() == "content");
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(read_file(path, 7).value() == "content");
  CHECK(read_file(path, 6).error().message.find("larger than 6 bytes") != std::string::npos);
  CHECK(read_file(directory / "none", 6).error().message.find("No such file") != std::string::npos);
  CHECK(read_file(directory, 6).error().message.find("not a regular file") != std::string::npos);
  std::filesystem::create_symlink("file", directory / "link");
  CHECK(read_file(directory / "link", 100).value() == "content");
  CHECK_FALSE(write_file_atomically(directory / "none" / "file", "x", 0600));
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 2);
  std::filesystem::remove_all(directory);
}
