#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace par::core {

/// Writes the answer of --check: one line per finding, "ok", "warn" or "FAIL", then what was looked at, then
/// what was found. Every line appears at once, since some checks take a while.
class Report {
 public:
  explicit Report(std::FILE* out) : out_(out) {}

  void ok(std::string_view subject, std::string_view text) { line("ok  ", subject, text); }
  void warn(std::string_view subject, std::string_view text) { line("warn", subject, text); }
  void fail(std::string_view subject, std::string_view text) {
    failed_ = true;
    line("FAIL", subject, text);
  }
  bool failed() const { return failed_; }

 private:
  void line(std::string_view verdict, std::string_view subject, std::string_view text);

  std::FILE* out_;
  bool failed_ = false;
};

}  // namespace par::core
