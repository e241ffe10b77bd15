#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/files.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"
#include "core/verify/keys.hpp"

namespace par::core::testing {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "par-keys-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
  }

  std::filesystem::path path;
};

/// A log in a file that the test reads.
struct TestLog {
  std::string text() const { return read_file(directory.path / "log", 1 << 20).value(); }

  TemporaryDirectory directory;
  FileDescriptor file{
      ::open((directory.path / "log").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  Redactor redactor;
  Log log{file.get(), LogFormat::text, LogLevel::info, redactor};
};

/// Runs `control` until `done`, at most 30 s.
inline bool run_until(boost::asio::io_context& control, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  control.restart();
  while (!done() && std::chrono::steady_clock::now() < end) {
    control.run_one_for(std::chrono::milliseconds(50));
    if (control.stopped()) control.restart();
  }
  return done();
}

}  // namespace par::core::testing
