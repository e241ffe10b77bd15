#pragma once

#include <filesystem>
#include <memory>

#include <par/process.h>

namespace par::core {

class Log;

/// The service "par.process/1". There is one per process, since its C functions have no other way to reach
/// it; it must outlive every call of a plugin.
///
/// Each run has a par-supervisor of its own between the runner and the program. The supervisor ends the run,
/// with every descendant, at a cancel, at a time limit, when the leader has ended, or when the runner is
/// gone; no thread of the runner has to be awake for that. What this class does is to start supervisors, read
/// pipes, and reap.
class ProcessService {
 public:
  /// `supervisor` is the path of the program par-supervisor; it is looked at when the first child is started.
  /// `log` must outlive the service. Arguments, environment and standard input are never logged.
  ProcessService(std::filesystem::path supervisor, const Log& log);
  ~ProcessService();
  ProcessService(const ProcessService&) = delete;
  ProcessService& operator=(const ProcessService&) = delete;

  const par_process* table() const;
};

}  // namespace par::core
