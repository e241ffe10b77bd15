#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <par/plugin.h>

namespace postgresql_plugin {

/// The rows of a result as JSON text, within a limit of bytes and one of rows. The text is kept in blocks of
/// fixed size, so that it never moves and is never held twice while it grows.
class Rows {
 public:
  /// `max_bytes`: of the rows with the commas between them.
  Rows(uint64_t max_bytes, uint64_t max_rows) : max_bytes_(max_bytes), max_rows_(max_rows) {}

  /// Adds one row, a JSON list. False if it does not fit: it is dropped, and nothing may be added any more.
  bool add(std::string_view row);
  uint64_t count() const { return count_; }
  uint64_t bytes() const { return bytes_; }
  /// The pieces of the text in order, valid until the next add().
  std::vector<par_str> parts() const;

 private:
  uint64_t max_bytes_;
  uint64_t max_rows_;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
  std::vector<std::string> blocks_;
};

}  // namespace postgresql_plugin
