#include "plugin-api/devkit/par-plugin/memory.hpp"

#include <cstdlib>
#include <deque>
#include <mutex>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace par::kit {
namespace {

size_t page_size() {
  static const auto k_size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return k_size;
}

}  // namespace

Pages::Pages(size_t size) : usable_((size + page_size() - 1) / page_size() * page_size()) {
  void* const pages =
      ::mmap(nullptr, usable_ + page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) std::abort();
  begin_ = static_cast<std::byte*>(pages);
  if (::mprotect(begin_ + usable_, page_size(), PROT_NONE) != 0) std::abort();
}

// What was lent stays readable for a while, so that only the checks that forbid it find a late use.
Pages::~Pages() {
  if (forbidden_) return;
  constexpr size_t k_kept = 256;
  static auto& mutex = *new std::mutex;
  static auto& kept = *new std::deque<std::pair<std::byte*, size_t>>;
  const std::lock_guard lock(mutex);
  kept.emplace_back(begin_, usable_ + page_size());
  if (kept.size() <= k_kept) return;
  ::munmap(kept.front().first, kept.front().second);
  kept.pop_front();
}

void Pages::make_read_only() {
  if (::mprotect(begin_, usable_, PROT_READ) != 0) std::abort();
}

void Pages::forbid() {
  forbidden_ = true;
  if (::mprotect(begin_, usable_, PROT_NONE) != 0) std::abort();
}

}  // namespace par::kit
