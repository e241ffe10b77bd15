#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace par::kit {

/// How a table of the host looks to the plugin.
enum class TableForm {
  plain,
  exact,  ///< nothing can be read behind the last member of 1.0
  newer   ///< of a host with a later minor version: longer
};

/// Whole pages of which the kernel enforces the use; the last one is followed by one that cannot be touched.
class Pages {
 public:
  explicit Pages(size_t size);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// The last `size` bytes, so that the first byte behind them cannot be touched.
  void* end(size_t size) const { return begin_ + usable_ - size; }
  std::byte* begin() const { return begin_; }
  void make_read_only();
  /// Any use ends the process from now on. The pages stay reserved until the process ends.
  void forbid();

 private:
  std::byte* begin_;
  size_t usable_;
  bool forbidden_ = false;
};

constexpr size_t k_added_by_newer_hosts = 64;

/// A table of type T, begun by struct_size, in one of the forms.
template <typename T>
class Table {
 public:
  Table(const T& source, TableForm form) : pages_(sizeof(T) + k_added_by_newer_hosts) {
    const size_t size = form == TableForm::newer ? sizeof(T) + k_added_by_newer_hosts : sizeof(T);
    // Tables of T are aligned to 8 bytes and their sizes are multiples of it.
    auto* const place = static_cast<std::byte*>(form == TableForm::plain ? pages_.begin() : pages_.end(size));
    std::memset(place, 0x5a, size);
    std::memcpy(place, &source, sizeof(T));
    table_ = reinterpret_cast<T*>(place);
    table_->struct_size = static_cast<uint32_t>(size);
    pages_.make_read_only();
  }
  const T* get() const { return table_; }
  void forbid() { pages_.forbid(); }

 private:
  Pages pages_;
  T* table_;
};

}  // namespace par::kit
