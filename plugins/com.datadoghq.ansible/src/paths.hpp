#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ansible_plugin {

/// The file or directory at `relative` below `directory`, with all links resolved. `input` names it in error
/// texts. Throws par::Error if it is absolute, is not there, or lies outside of `directory`.
std::filesystem::path path_below(const std::string& directory, const std::string& relative,
                                 std::string_view input);

/// A directory that only this user can enter, gone with everything in it when this object ends. It holds a
/// locked file, by which remove_left_directories() knows that it is in use.
class PrivateDirectory {
 public:
  /// Throws par::Error if none can be made.
  PrivateDirectory();
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory();

  const std::string& path() const { return path_; }
  /// Makes a file with these contents that only this user can read; returns its path. Throws par::Error.
  std::string write(const std::string& name, std::string_view contents) const;

 private:
  std::string path_;
  int lock_ = -1;
};

/// Removes the private directories of processes that were killed.
void remove_left_directories();

}  // namespace ansible_plugin
