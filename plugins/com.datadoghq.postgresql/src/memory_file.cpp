#include "memory_file.hpp"

#include <par/sdk/error.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace postgresql_plugin {

MemoryFile::MemoryFile(std::string_view text)
    : descriptor_(::memfd_create("par-postgresql", MFD_CLOEXEC)),
      path_("/proc/self/fd/" + std::to_string(descriptor_)) {
  while (descriptor_ >= 0 && !text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written <= 0) break;
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (descriptor_ >= 0 && text.empty()) return;
  if (descriptor_ >= 0) ::close(descriptor_);
  throw par::Error(PAR_INTERNAL, "no memory or descriptor is left for a file in memory");
}

MemoryFile::~MemoryFile() {
  ::close(descriptor_);
}

}  // namespace postgresql_plugin
