#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace par::core {

/// Knows the secrets that are in use and takes them out of any text that leaves the process as a log line or
/// an error text. Thread-safe. Values shorter than six bytes are not registered: replacing them would damage
/// ordinary words. A value is found as it is, in base64 (all three offsets, both alphabets), percent-encoded
/// and JSON-escaped.
class Redactor {
 public:
  Redactor();
  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  /// Keeps one value registered as long as it lives. Empty for values that are too short.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration();

   private:
    friend class Redactor;
    Registration(Redactor* redactor, uint64_t id) : redactor_(redactor), id_(id) {}
    void reset() noexcept;
    Redactor* redactor_ = nullptr;
    uint64_t id_ = 0;
  };

  /// Registers `value` until the registration goes. The same value may be registered many times.
  [[nodiscard]] Registration add(std::string_view value);
  /// Registers `value` for the life of the redactor.
  void add_forever(std::string_view value);

  /// `text` with every registered value replaced by "[redacted]".
  std::string redact(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace par::core
