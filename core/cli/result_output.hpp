#pragma once

#include <filesystem>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace par::core {

/// Where --enroll writes an identity to. Having one means that all that can be seen beforehand speaks for it:
/// what cannot take the identity is refused while nothing is spent, with what to do instead.
class ResultOutput {
 public:
  /// An open descriptor, which must outlive the output. Refused: closed or read-only; /dev/null; a pipe or
  /// socket whose reader is gone; a file where no room is left. A disk that fails later is only seen by
  /// write().
  static Result<ResultOutput> to_descriptor(int fd);

  /// A file, whose directory is made if it is not there. Links are followed. Refused: a directory that cannot
  /// be written to; whatever is there and is no regular file, since it would be replaced by one; a name of
  /// this process's own descriptors such as /dev/stdout; a file that is mounted by itself.
  static Result<ResultOutput> to_file(const std::filesystem::path& path);

  /// Writes and syncs. A file gets mode 0600 and is replaced at one stroke; a descriptor may be left with a
  /// part of `text`.
  Result<void> write(const Secret& text) const;

  /// The file, without links; empty for a descriptor.
  const std::filesystem::path& file() const { return file_; }

 private:
  int fd_ = -1;
  std::filesystem::path file_;
};

}  // namespace par::core
