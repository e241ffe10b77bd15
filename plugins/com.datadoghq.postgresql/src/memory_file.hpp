#pragma once

#include <string>
#include <string_view>

namespace postgresql_plugin {

/// A text under a path, for libraries that read from files only. It exists in memory and for this process
/// alone.
class MemoryFile {
 public:
  /// Throws par::Error if the system refuses.
  explicit MemoryFile(std::string_view text);
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile();

  /// Valid as long as this object.
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace postgresql_plugin
