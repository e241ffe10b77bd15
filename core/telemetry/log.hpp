#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace par::core {

class Redactor;

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { json, text };

/// One named value of a log line. Borrows its texts for the duration of the call that logs.
struct LogField {
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  LogField(std::string_view name, Integer number) : key(name) {
    if constexpr (std::is_signed_v<Integer>) {
      value = static_cast<int64_t>(number);
    } else {
      value = static_cast<uint64_t>(number);
    }
  }

  std::string_view key;
  Value value;
};

using LogFields = std::vector<LogField>;

/// Writes one line per event, as a JSON object or as text for terminals. Every text passes the redactor.
/// Thread-safe; a line is written with one write call. A broken output never stops the runner.
class Log {
 public:
  /// Lines go to `fd`, which stays the caller's. `redactor` must outlive the log.
  Log(int fd, LogFormat format, LogLevel least, const Redactor& redactor);

  /// Fields put on every line from now on, such as runner_id. Call before threads start.
  void set_common_fields(std::vector<std::pair<std::string, std::string>> fields);

  bool enabled(LogLevel level) const { return level >= least_; }
  void write(LogLevel level, std::string_view message, const LogFields& fields = {}) const;
  void debug(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::info, message, fields);
  }
  void warn(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::warn, message, fields);
  }
  void error(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::error, message, fields);
  }

 private:
  int fd_;
  LogFormat format_;
  LogLevel least_;
  const Redactor& redactor_;
  std::vector<std::pair<std::string, std::string>> common_;
};

}  // namespace par::core
