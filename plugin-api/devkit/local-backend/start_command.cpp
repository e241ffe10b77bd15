#include <array>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/digest.hpp"
#include "core/base/encoding.hpp"
#include "core/base/files.hpp"
#include "plugin-api/devkit/local-backend/backend.hpp"
#include "plugin-api/devkit/local-backend/commands.hpp"
#include "plugin-api/devkit/local-backend/control_client.hpp"

namespace par::backend {
namespace {

namespace fs = std::filesystem;

std::string ready_text(const StartOptions& options, const State& state, const Endpoint& endpoint) {
  const std::string certificates =
      options.plain_http ? "" : fmt::format("SSL_CERT_FILE={} ", (options.directory / "ca.pem").native());
  return fmt::format("ready: {} for {}; run: {}DD_PRIVATE_RUNNER_CONFIG_DIR={} par-runner", endpoint.url(),
                     state.urn(), certificates, options.directory.native());
}

// Serves until told to stop. `ready` gets the line for people once everything is in place.
Result<void> serve(const StartOptions& options, const std::function<void(const std::string&)>& ready) {
  if (const auto other = ControlClient::find(options.directory))
    return core::fail(
        fmt::format("a backend runs in {} already (pid {}); end it with: par-local-backend stop --dir {}",
                    options.directory.native(), other->pid(), options.directory.native()));
  Result<State> state = open_state(options.directory, {options.org_id, options.runner_id, options.key_type});
  if (!state) return tl::unexpected(state.error());

  Loop loop;
  Backend backend(loop, options.directory, std::move(*state));
  if (options.plain_http) backend.scheme = "http";
  // A version of its own for each start, so that a runner never meets two documents of one version.
  backend.remote_config.touch();
  if (auto done = backend.save(); !done) return done;

  Endpoint endpoint;
  endpoint.control_token = core::hex_encode(core::random_bytes(16));
  endpoint.plain_http = options.plain_http;
  endpoint.remote_config = options.remote_config;
  endpoint.allow = options.allow;
  std::optional<TlsIdentity> tls;
  if (!options.plain_http)
    tls = TlsIdentity{backend.state.certificate.certificate, backend.state.certificate.private_key};
  const auto runner_server = Server::listen(loop, options.port, true, tls, runner_face(backend));
  if (!runner_server) return tl::unexpected(runner_server.error());
  const auto control_server = Server::listen(loop, options.control_port, false, std::nullopt,
                                             control_face(backend, endpoint.control_token));
  if (!control_server) return tl::unexpected(control_server.error());
  backend.runner_server = runner_server->get();
  backend.stop = [&loop] { loop.stop(); };
  loop.on_signal(backend.stop);
  endpoint.port = (*runner_server)->port();
  endpoint.control_port = (*control_server)->port();
  if (auto done = write_files(options.directory, backend.state, endpoint); !done) return done;

  ready(ready_text(options, backend.state, endpoint));
  loop.run();
  std::error_code ignored;
  fs::remove(options.directory / "endpoint.json", ignored);
  return {};
}

// Runs serve() in a child; returns when it is ready or has failed. The child's first line through the pipe
// says which.
int serve_in_background(const StartOptions& options) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return complain("pipe: " + core::errno_text(errno));
  core::FileDescriptor from_child(pipe_ends[0]);
  core::FileDescriptor to_parent(pipe_ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return complain("fork: " + core::errno_text(errno));
  if (child == 0) {
    from_child.reset();
    ::setsid();
    const int log =
        ::open((options.directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(log >= 0 ? log : nothing, STDERR_FILENO);
    const auto tell = [&to_parent](const std::string& text) {
      [[maybe_unused]] const ssize_t written = ::write(to_parent.get(), text.data(), text.size());
      to_parent.reset();
    };
    const Result<void> done = serve(options, tell);
    if (!done && to_parent) tell("error: " + done.error().message);
    ::_exit(done ? k_exit_success : k_exit_failure);
  }
  to_parent.reset();
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(from_child.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  if (text.rfind("ready:", 0) == 0) {
    fmt::print("{}\n", text);
    return k_exit_success;
  }
  return complain(text.rfind("error: ", 0) == 0 ? text.substr(7)
                                                : fmt::format("the backend ended at once; see {}",
                                                              (options.directory / "log").native()));
}

}  // namespace

int start(StartOptions options) {
  std::error_code error;
  fs::create_directories(options.directory, error);
  options.directory = fs::canonical(options.directory, error);
  if (error) return complain(fmt::format("{}: {}", options.directory.native(), error.message()));
  if (options.background) return serve_in_background(options);
  const Result<void> done = serve(options, [](const std::string& text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  });
  return done ? k_exit_success : complain(done.error().message);
}

}  // namespace par::backend
