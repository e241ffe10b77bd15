#include "core/cli/result_output.hpp"

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/config/test_directory.hpp"
#include "tests/catch.hpp"

using namespace par::core;
namespace fs = std::filesystem;

namespace {

std::pair<FileDescriptor, FileDescriptor> make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::string problem_of(const Result<ResultOutput>& output) {
  REQUIRE_FALSE(output);
  CHECK(output.error().message.find("othing was sent to Datadog") != std::string::npos);
  return output.error().message;
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a descriptor that would lose the result is refused") {
  CHECK(has(problem_of(ResultOutput::to_descriptor(-1)), "closed"));
  const FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  CHECK(has(problem_of(ResultOutput::to_descriptor(null.get())), "/dev/null"));
  auto [reader, writer] = make_pipe();
  CHECK(has(problem_of(ResultOutput::to_descriptor(reader.get())), "cannot be written to"));
  CHECK(ResultOutput::to_descriptor(writer.get()));
  reader.reset();
  CHECK(has(problem_of(ResultOutput::to_descriptor(writer.get())), "no reader"));
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const FileDescriptor near(ends[0]);
  FileDescriptor far(ends[1]);
  CHECK(ResultOutput::to_descriptor(near.get()));
  far.reset();
  CHECK(has(problem_of(ResultOutput::to_descriptor(near.get())), "no reader"));
}

TEST_CASE("a descriptor of a file is proved without a change to what is in it") {
  const TestDirectory home;
  const fs::path path = home.write("values.yaml", "before\n");
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const auto output = ResultOutput::to_descriptor(file.get());
  REQUIRE(output);
  CHECK(output->file().empty());
  CHECK(read_file(path, 100).value() == "before\n");
  REQUIRE(output->write(Secret("result\n")));
  CHECK(read_file(path, 100).value() == "before\nresult\n");
}

TEST_CASE("a failed write to a descriptor is an error") {
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto output = ResultOutput::to_descriptor(full.get());
  REQUIRE(output);
  const auto written = output->write(Secret("result\n"));
  REQUIRE_FALSE(written);
  CHECK(has(written.error().message, "standard output: No space left"));
}

TEST_CASE("a file is replaced with mode 0600, and a link to it stays a link") {
  const TestDirectory home;
  const fs::path real = home.write("elsewhere/values.yaml", "old");
  fs::create_symlink(real, home.path() / "link");
  for (const fs::path& path : {home.path() / "new/values.yaml", home.path() / "link"}) {
    CAPTURE(path);
    const auto output = ResultOutput::to_file(path);
    INFO((output ? std::string() : output.error().message));
    REQUIRE(output);
    REQUIRE(output->write(Secret("result\n")));
    CHECK(read_file(path, 100).value() == "result\n");
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
  }
  CHECK(fs::is_symlink(home.path() / "link"));
}

TEST_CASE("what is there and is no regular file is left alone") {
  const TestDirectory home;
  const fs::path fifo = home.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  fs::create_directory(home.path() / "directory");
  fs::create_symlink(fifo, home.path() / "to-fifo");
  fs::create_symlink(home.path() / "directory", home.path() / "to-directory");
  fs::create_symlink("/dev/stdout", home.path() / "to-stdout");
  fs::create_symlink("nowhere", home.path() / "to-nothing");
  fs::create_symlink("loop", home.path() / "loop");
  struct Row {
    fs::path path;
    const char* advice;
  };
  const Row rows[] = {{fifo, "named pipe; leave -o out"},
                      {home.path() / "to-fifo", "named pipe"},
                      {home.path() / "directory", "directory; expected the name of a file"},
                      {home.path() / "to-directory", "directory; expected the name of a file"},
                      {home.path() / "directory/", "directory; expected the name of a file"},
                      {home.path() / "not-there/", "directory; expected the name of a file"},
                      {"/dev/stdout", "leave it out"},
                      {"/dev/stderr", "leave it out"},
                      {"/dev/fd/1", "leave it out"},
                      {"/proc/self/fd/1", "leave it out"},
                      {home.path() / "to-stdout", "leave it out"},
                      {"/dev/null", "device"},
                      {home.path() / "to-nothing", "leads to a file that is not there"},
                      {home.path() / "loop", "symbolic links"}};
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CHECK(has(problem_of(ResultOutput::to_file(row.path)), row.advice));
  }
  CHECK(fs::is_fifo(fifo));
  CHECK(fs::is_symlink(home.path() / "to-stdout"));
  CHECK_FALSE(fs::exists(home.path() / "not-there"));
}
