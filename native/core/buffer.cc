#include "buffer.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace gaussflow {

namespace {

constexpr size_t kLine = 64;
constexpr size_t kHugePage = 2 << 20;

// From here on a buffer stands on huge pages: the columns of a large matrix lie in as many small
// ones, and a factorisation would spend a quarter of its time on looking their addresses up.
constexpr size_t kHuge = 2 * kHugePage;

size_t Alignment(size_t bytes) { return bytes >= kHuge ? kHugePage : kLine; }

}  // namespace

void* AllocateNumbers(size_t bytes) {
  void* memory = ::operator new (bytes, std::align_val_t{Alignment(bytes)}, std::nothrow);
#ifdef __linux__
  // A hint: where the system grants none the buffer is as good as before. Whole pages only, so
  // that no neighbour's memory is touched.
  if (memory != nullptr && bytes >= kHuge)
    madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}

void FreeNumbers(void* memory, size_t bytes) {
  if (memory != nullptr) ::operator delete (memory, std::align_val_t{Alignment(bytes)});
}

}  // namespace gaussflow
