// What a program gets and gives: arguments, environment, streams, limits of output, ways in which it does not
// start.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "core/services/process/testing/run.hpp"
#include "tests/catch.hpp"

using namespace par::core;
using namespace par::core::testing;

namespace {

Program shell(const std::string& script) {
  return Program{.argv = {"/bin/sh", "-c", script}};
}

struct TemporaryDirectory {
  TemporaryDirectory() {
    char name[] = "/tmp/par-process-XXXXXX";
    path = mkdtemp(name);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::filesystem::path write(const std::string& name, const std::string& text, mode_t mode) const {
    std::ofstream(path / name) << text;
    chmod((path / name).c_str(), mode);
    return path / name;
  }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("Standard output, standard error and the exit code arrive apart") {
  TestService service;
  TestCall call;
  Run run(service.table, call, shell("echo out; echo err >&2; exit 3"));
  REQUIRE(run.started == PAR_OK);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out == "out\n");
  CHECK(run.err == "err\n");
  CHECK(run.child->exit_code == 3);
  CHECK(run.child->term_signal == 0);
}

TEST_CASE("A signal that ends the program is not an exit code") {
  TestService service;
  TestCall call;
  Run run(service.table, call, shell("kill -SEGV $$"));
  CHECK(run.finish() == PAR_OK);
  CHECK(run.child->exit_code == 0);
  CHECK(run.child->term_signal == SIGSEGV);
}

TEST_CASE("After the end read keeps giving the same answer") {
  TestService service;
  TestCall call;
  Run run(service.table, call, shell("exit 4"));
  CHECK(run.finish() == PAR_OK);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.child->exit_code == 4);
}

TEST_CASE("Arguments reach the program as they are, without a shell") {
  TestService service;
  TestCall call;
  Run run(service.table, call, Program{.argv = {"printf", "[%s]", "$HOME", "a b", "", "*", "\xff\n"}});
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out == "[$HOME][a b][][*][\xff\n]");
}

TEST_CASE("A time limit of -1 is none, as in the HTTP service") {
  TestService service;
  TestCall call;
  Run run(service.table, call, Program{.argv = {"true"}, .timeout_ms = -1});
  CHECK(run.finish() == PAR_OK);
}

TEST_CASE("The environment is what was given and nothing else") {
  TestService service;
  TestCall call;
  Program program{.argv = {"/usr/bin/env"}, .environment = {"A=1", "B=x=y", "LD_PRELOAD="}};
  Run run(service.table, call, program);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out == "A=1\nB=x=y\nLD_PRELOAD=\n");
  program.environment.clear();
  Run empty(service.table, call, program);
  CHECK(empty.finish() == PAR_OK);
  CHECK(empty.out.empty());
}

TEST_CASE("A name without a slash is looked up in the PATH that was given") {
  TestService service;
  TestCall call;
  const TemporaryDirectory directory;
  const auto not_executable = directory.path / "first";
  const auto executable = directory.path / "second";
  std::filesystem::create_directories(not_executable / "inner");
  std::filesystem::create_directory(executable);
  directory.write("first/tool", "#!/bin/sh\n", 0644);
  directory.write("second/tool", "#!/bin/sh\necho found\n", 0755);
  Program program{.argv = {"tool"},
                  .environment = {"PATH=/nowhere::" + not_executable.string() + ":" + executable.string()}};
  Run run(service.table, call, program);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out == "found\n");

  program.environment = {"PATH=" + executable.string() + ":/usr/bin:/bin"};
  program.argv = {"inner"};
  Run missing(service.table, call, program);
  CHECK(missing.started == PAR_SPAWN);
  CHECK(missing.failure().find("no directory of the PATH") != std::string::npos);

  program.environment = {"HOME=/"};
  Run without_path(service.table, call, program);
  CHECK(without_path.started == PAR_SPAWN);
  CHECK(without_path.failure().find("has no PATH") != std::string::npos);

  // The working directory is not searched, whatever PATH says.
  program = Program{.argv = {"tool"}, .environment = {"PATH=:"}, .directory = executable.string()};
  Run here(service.table, call, program);
  CHECK(here.started == PAR_SPAWN);
}

TEST_CASE("The program works in the directory that was given, or in the root") {
  TestService service;
  TestCall call;
  Program program{.argv = {"pwd"}};
  Run root(service.table, call, program);
  CHECK(root.finish() == PAR_OK);
  CHECK(root.out == "/\n");
  program.directory = "/usr";
  Run usr(service.table, call, program);
  CHECK(usr.finish() == PAR_OK);
  CHECK(usr.out == "/usr\n");
  program.directory = "/usr/not-there";
  Run missing(service.table, call, program);
  CHECK(missing.started == PAR_SPAWN);
  CHECK(missing.child->failure == PAR_SPAWN);
  CHECK(missing.failure().find("/usr/not-there") != std::string::npos);
  CHECK(missing.finish() == PAR_SPAWN);
}

TEST_CASE("Each way in which a program does not start has its own text") {
  TestService service;
  TestCall call;
  const TemporaryDirectory directory;
  const auto plain = directory.write("plain", "text\n", 0644).string();
  const auto no_line = directory.write("no-line", "echo hello\n", 0755).string();
  const auto no_interpreter = directory.write("no-interpreter", "#!/no/such/interpreter\n", 0755).string();
  const struct {
    std::string program, text;
  } cases[] = {
      {directory.path / "missing", "No such file"},
      {directory.path.string(), "it is a directory"},
      {plain, "may not execute"},
      {no_line, "\"#!\""},
      {no_interpreter, "interpreter"},
  };
  for (const auto& row : cases) {
    INFO(row.program);
    Run run(service.table, call, Program{.argv = {row.program}});
    CHECK(run.started == PAR_SPAWN);
    REQUIRE(run.child != nullptr);
    CHECK(run.failure().find(row.text) != std::string::npos);
    CHECK(run.failure().find(row.program) != std::string::npos);
  }
}

TEST_CASE("Broken requests are refused") {
  TestService service;
  TestCall call;
  const auto status = [&](const Program& program) {
    Run run(service.table, call, program);
    REQUIRE(run.child != nullptr);
    CHECK_FALSE(run.failure().empty());
    return run.started;
  };
  CHECK(status(Program{.argv = {}}) == PAR_INVALID);
  CHECK(status(Program{.argv = {""}}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo", std::string("a\0b", 3)}}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo"}, .environment = {"no equals sign"}}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo"}, .environment = {"=x"}}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo"}, .directory = std::string("/\0", 2)}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo"}, .timeout_ms = -2}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo"}, .overflow = 9}) == PAR_INVALID);
  CHECK(status(Program{.argv = {"echo", std::string(8 << 20, 'x')}}) ==
        PAR_SPAWN);  // more than the kernel takes
}

TEST_CASE("A missing supervisor is reported as what it is") {
  Redactor redactor;
  Log log{-1, LogFormat::json, LogLevel::error, redactor};
  ProcessService service("/no/such/supervisor", log);
  TestCall call;
  Run run(*service.table(), call, shell("true"));
  CHECK(run.started == PAR_SPAWN);
  CHECK(run.failure().find("/no/such/supervisor") != std::string::npos);
}

TEST_CASE("Standard input arrives whole, then ends, and nobody waits for a program that does not read it") {
  TestService service;
  TestCall call;
  Program program{.argv = {"cat"}, .input = std::string(3 << 20, 'i')};
  Run echo(service.table, call, program);
  CHECK(echo.finish() == PAR_OK);
  CHECK(echo.out == program.input);
  program.argv = {"true"};
  Run deaf(service.table, call, program);
  CHECK(deaf.finish() == PAR_OK);
  program.argv = {"/bin/sh", "-c", "exec <&-; echo closed"};
  Run closed(service.table, call, program);
  CHECK(closed.finish() == PAR_OK);
  CHECK(closed.out == "closed\n");
  program = Program{.argv = {"cat"}};
  Run empty(service.table, call, program);
  CHECK(empty.finish() == PAR_OK);
  CHECK(empty.out.empty());
}

TEST_CASE("A program inherits three descriptors, no blocked or ignored signals, and leads its session") {
  TestService service;
  TestCall call;
  const int leak = open("/dev/null", O_RDONLY);  // without close-on-exec, as a careless library opens it
  REQUIRE(leak >= 0);
  sigset_t usr1, before;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, &before);
  const auto old = signal(SIGPIPE, SIG_IGN);
  Run run(service.table, call, Program{.argv = {PAR_TEST_ODD, "inherited"}});
  CHECK(run.finish() == PAR_OK);
  signal(SIGPIPE, old);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(leak);
  CHECK(run.out == "descriptors 3\nblocked 0\nignored 0\nleads session 1\n");
}

TEST_CASE("Exactly as many bytes as allowed are no overflow") {
  TestService service;
  TestCall call;
  Program program = shell("printf 12345");
  program.max_stdout = 5;
  Run run(service.table, call, program);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out == "12345");
  CHECK(run.child->dropped_stdout == 0);
}

TEST_CASE("Overflow: kill ends the program and answers LIMIT") {
  TestService service;
  TestCall call;
  Program program = shell("printf 123456; sleep 100");
  program.max_stdout = 5;
  Run run(service.table, call, program);
  CHECK(run.finish() == PAR_LIMIT);
  CHECK(run.out == "12345");
  CHECK(run.child->dropped_stdout == 1);
  CHECK(run.child->term_signal == SIGKILL);
}

TEST_CASE("Overflow: discard delivers the first bytes of each stream and counts the rest") {
  TestService service;
  TestCall call;
  Program program{.argv = {PAR_TEST_ODD, "flood", "50000000"}, .overflow = PAR_OVERFLOW_DISCARD};
  program.max_stdout = 1500;
  program.max_stderr = 10'000'000;
  Run run(service.table, call, program);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out.size() == 1500);
  CHECK(run.err.size() == 10'000'000);
  CHECK(run.child->dropped_stdout == 50'000'000 - 1500);
  CHECK(run.child->dropped_stderr == 40'000'000);
  CHECK(run.child->exit_code == 0);
}

TEST_CASE("Overflow: tail delivers the last bytes after the end") {
  TestService service;
  TestCall call;
  Program program =
      shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last >&2; exit 2");
  program.overflow = PAR_OVERFLOW_TAIL;
  program.max_stdout = 1000;
  Run run(service.table, call, program);
  CHECK(run.finish() == PAR_OK);
  CHECK(run.out.size() == 1000);
  CHECK(run.out.substr(1000 - 22) == "line 19998\nline 19999\n");
  CHECK(run.err == "last\n");
  CHECK(run.child->dropped_stderr == 0);
  CHECK(run.child->dropped_stdout > 100'000);
  CHECK(run.child->exit_code == 2);
}

TEST_CASE("Output that nobody reads holds the program back and costs no memory") {
  TestService service;
  TestCall call;
  Program program{.argv = {PAR_TEST_ODD, "flood", "50000000"}};
  program.max_stdout = program.max_stderr = UINT64_MAX;
  Run run(service.table, call, program);
  REQUIRE(run.read_some(1));
  CHECK(run.out.size() + run.err.size() == 1);
}

TEST_CASE("A read without room for a byte is refused") {
  TestService service;
  TestCall call;
  Run run(service.table, call, shell("echo x"));
  int32_t stream = 0;
  size_t got = 1;
  uint8_t byte = 0;
  CHECK(service.table.read(&call.call, run.child, &stream, &byte, 0, &got) == PAR_INVALID);
  CHECK(run.finish() == PAR_OK);
}
