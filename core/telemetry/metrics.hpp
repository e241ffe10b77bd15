#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/telemetry/dogstatsd.hpp"

namespace par::core {

/// What is counted: the one place that feeds both Prometheus, which asks for all of it, and DogStatsD, which
/// is told each event as it happens. Thread-safe.
///
/// An execution is a call of a plugin, so its action stands in the manifest of a library that is installed:
/// that bounds the label action_fqn.
class Metrics {
 public:
  struct Settings {
    bool keep = false;                          ///< somebody may ask for prometheus()
    std::optional<DogStatsdAddress> dogstatsd;  ///< where events are told
    std::vector<std::string> tags;              ///< key:value on each event, beside those of the event
  };
  explicit Metrics(Settings settings);

  /// Whose action: `client` is one of a few names.
  struct Execution {
    std::string_view action_fqn;
    std::string_view client;
  };
  void execution_started(const Execution& execution);
  void execution_completed(const Execution& execution, bool success, Milliseconds duration);
  /// A task ended before its action was called.
  void task_refused(int error_code);
  /// The first signing keys arrived, so long after the start.
  void keys_arrived(Milliseconds after);

  /// What others know, at the moment of asking.
  struct Moment {
    bool ready = false;
    size_t slots = 0;
    std::string_view version;
  };
  /// Everything in Prometheus' text format.
  std::string prometheus(const Moment& moment) const;

 private:
  static constexpr std::array k_bucket_seconds{0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0};
  struct Ended {
    uint64_t count = 0;
    double seconds = 0;
    std::array<uint64_t, k_bucket_seconds.size()>
        within{};  ///< ended within the bucket's time, not summed up
  };
  struct Series {
    uint64_t started = 0;
    std::array<Ended, 2> ended;  ///< failed, succeeded
  };
  Series& series(const Execution& execution);

  const bool keep_;
  std::optional<DogStatsd> dogstatsd_;
  std::string tags_;  ///< as DogStatsD wants them, with a comma in front
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Series, std::less<>> series_;  ///< by action and client
  std::map<int, uint64_t> refused_;                                            ///< by error code
  std::optional<Milliseconds> keys_after_;
};

}  // namespace par::core
