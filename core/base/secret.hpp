#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace par::core {

/// Overwrites memory in a way that the compiler may not leave out.
void wipe(void* data, size_t size) noexcept;

/// A value that must not be seen: it wipes its memory when it goes, and nothing prints it (there is no stream
/// operator, no formatter and no conversion; only reveal() gives the text, which makes every use easy to
/// find).
class Secret {
 public:
  Secret() = default;
  /// Takes over `text`; the caller's own copies, if any, are the caller's to wipe.
  explicit Secret(std::string text) noexcept;
  Secret(const Secret& other);
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  /// The value. The view is valid until the secret is assigned or destroyed.
  std::string_view reveal() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

 private:
  void clear() noexcept;
  std::string text_;
};

}  // namespace par::core
