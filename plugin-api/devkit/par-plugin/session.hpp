#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "plugin-api/devkit/par-plugin/host.hpp"

namespace par::kit {

/// Loads a library as the runner does (all symbols at once, local scope), without calling into it.
core::Result<void*> load_library(const std::filesystem::path& file);

/// Its entry point, or null.
par_plugin_entry entry_of(void* library);

/// What one call of a plugin came to.
struct Run {
  par_status status = PAR_OK;
  bool threw = false;
  std::chrono::milliseconds after_cancel{0};  ///< from the planned cancel until it returned
  Call::Report report;

  bool succeeded() const { return status == PAR_OK && report.result.has_value(); }
};

/// A plugin in this process, as a hostile but legal host uses it.
class Session {
 public:
  /// Both live as long as the session.
  Session(const Subject& subject, const Behaviour& behaviour);

  /// Loads and opens it; the error says what the plugin said. Its call is a friendly one.
  core::Result<void> open();
  /// How the open that failed ended, or the one that succeeded.
  const Run& opened() const { return opened_; }
  void close();

  /// What the kernel enforces: a violation ends the process.
  enum class Guard { none, request_is_read_only, nothing_is_used_afterwards };

  Run run(const Sample& sample, Guard guard = Guard::none);
  Host& host() { return *host_; }

 private:
  const Subject& subject_;
  const Behaviour& behaviour_;
  Behaviour friendly_;
  std::unique_ptr<Host> host_;
  const par_plugin* table_ = nullptr;
  par_instance* instance_ = nullptr;
  Run opened_;
};

}  // namespace par::kit
