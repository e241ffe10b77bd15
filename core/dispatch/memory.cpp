#include "core/dispatch/memory.hpp"

#include <malloc.h>

namespace par::core {

void tune_allocator() {
#if defined(__GLIBC__)
  // Set by hand, the threshold no longer grows with the blocks that are freed.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_ARENA_MAX, 2);
  // The default gives the end of the heap back and takes it again with every task.
  mallopt(M_TRIM_THRESHOLD, 512 << 10);
#endif
}

void give_back_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace par::core
