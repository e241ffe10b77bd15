#pragma once

#include <cstdint>
#include <string>

#include <par/process.h>
#include <sys/types.h>

#include "core/base/files.hpp"

namespace par::core {

/// Why a program could not be started, as the plugin gets it.
struct SpawnFailure {
  par_status status = PAR_SPAWN;
  std::string message;
  bool defect = false;  ///< the installation is broken: worth a line in the runner's log
};

/// A supervisor that has been started, and the host's ends of what it was given.
struct Spawned {
  pid_t supervisor = -1;
  FileDescriptor control;          ///< SOCK_SEQPACKET, see supervisor/protocol.h
  FileDescriptor standard_output;  ///< non-blocking
  FileDescriptor standard_error;   ///< non-blocking
};

/// Checks `request` and starts the supervisor, which then starts the program: its first event on `control`
/// says whether that worked. `timeout_ms` below zero: none. Nothing of `request` is needed afterwards.
tl::expected<Spawned, SpawnFailure> spawn_supervisor(const std::string& supervisor,
                                                     const par_process_request& request, int64_t timeout_ms);

}  // namespace par::core
