// Implements the allocation of the core's arrays (buffer.h): aligned memory whose refusal is
// reported, and its return to the system.
#include "buffer.h"

#include <cstdint>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // of Linux 5.14; the C library's header may be older
#endif
#endif

// A sanitizer sees an access past the end of a buffer only where buffers have no neighbors.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define GAUSSFLOW_HUGE_PAGES

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <vector>
#endif

namespace gaussflow {

namespace {

constexpr size_t kLine = 64;

void* AllocateAlone(size_t bytes) {
  return ::operator new (bytes, std::align_val_t{kLine}, std::nothrow);
}

void FreeAlone(void* memory) { ::operator delete (memory, std::align_val_t{kLine}); }

#ifdef GAUSSFLOW_HUGE_PAGES

constexpr size_t kHugePage = 2 << 20;

// Below this a buffer comes from the heap, whose pages have mostly been used before.
constexpr size_t kShared = 1 << 16;

constexpr size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Buffers side by side on huge pages. Two reasons: the columns of a large matrix lie in as many
// small pages, and a factorization would spend a quarter of its time on looking their addresses up;
// and the first touch of a page costs a trip into the system, 11 us under one virtual machine, so
// that a short training in small pages spends a fifth of its time on them. Where the system grants
// no huge pages (they are asked for by a hint) the buffers are as good as others.
class Regions {
 public:
  // Never destroyed: engines of threads that still run give their buffers back late.
  static Regions& Instance() {
    static Regions* regions = new Regions();
    return *regions;
  }

  void* Allocate(size_t bytes) {
    const size_t size = RoundUp(bytes, kLine);
    std::lock_guard<std::mutex> lock(mutex_);
    try {
      for (Region& region : regions_)
        if (char* const memory = Fit(&region, size)) return memory;
      regions_.push_back({nullptr, RoundUp(size, kHugePage), {}});
      Region& region = regions_.back();
      region.blocks.reserve(1);
      region.base = Map(region.size);
      if (region.base != nullptr) return Fit(&region, size);
      regions_.pop_back();
    } catch (const std::bad_alloc&) {
      if (!regions_.empty() && regions_.back().base == nullptr) regions_.pop_back();
    }
    return nullptr;
  }

  void Free(void* memory) {
    char* const first = static_cast<char*>(memory);
    std::lock_guard<std::mutex> lock(mutex_);
    const auto region = std::find_if(regions_.begin(), regions_.end(), [first](const Region& r) {
      return first >= r.base && first < r.base + r.size;
    });
    std::vector<Block>& blocks = region->blocks;
    const size_t offset = static_cast<size_t>(first - region->base);
    const auto next = blocks.erase(std::find_if(
        blocks.begin(), blocks.end(), [offset](const Block& b) { return b.offset == offset; }));
    if (blocks.empty()) {
      munmap(region->base, region->size);
      regions_.erase(region);
      return;
    }
    // Whole huge pages that nobody uses go back: a small neighbor keeps at most the one it lies
    // in.
    const size_t from = next == blocks.begin()
                            ? 0
                            : RoundUp(std::prev(next)->offset + std::prev(next)->size, kHugePage);
    const size_t to = (next == blocks.end() ? region->size : next->offset) / kHugePage * kHugePage;
    if (from < to) madvise(region->base + from, to - from, MADV_DONTNEED);
  }

 private:
  struct Block {
    size_t offset;
    size_t size;
  };

  struct Region {
    char* base;
    size_t size;
    std::vector<Block> blocks;  // by offset
  };

  // The first gap that is wide enough; null where there is none.
  static char* Fit(Region* region, size_t size) {
    std::vector<Block>& blocks = region->blocks;
    size_t end = 0;
    for (size_t i = 0; i <= blocks.size(); ++i) {
      const size_t next = i < blocks.size() ? blocks[i].offset : region->size;
      if (next - end >= size) {
        blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(i), {end, size});
        return region->base + end;
      }
      if (i < blocks.size()) end = next + blocks[i].size;
    }
    return nullptr;
  }

  // `size` bytes, whole huge pages, from the start of one on.
  static char* Map(size_t size) {
    const size_t wide = size + kHugePage;
    void* const mapped =
        mmap(nullptr, wide, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    char* const first = static_cast<char*>(mapped);
    const size_t before = (kHugePage - reinterpret_cast<size_t>(first) % kHugePage) % kHugePage;
    if (before > 0) munmap(first, before);
    munmap(first + before + size, wide - before - size);
    madvise(first + before, size, MADV_HUGEPAGE);
    return first + before;
  }

  std::mutex mutex_;
  std::vector<Region> regions_;
};

#endif

}  // namespace

#ifdef GAUSSFLOW_HUGE_PAGES

void* AllocateNumbers(size_t bytes) {
  if (bytes < kShared) return AllocateAlone(bytes);
  // No address space holds it, and sums would wrap.
  if (bytes > SIZE_MAX / 4) return nullptr;
  try {
    return Regions::Instance().Allocate(bytes);
  } catch (const std::bad_alloc&) {  // the list of regions itself, at the first call
    return nullptr;
  }
}

void FreeNumbers(void* memory, size_t bytes) {
  if (memory == nullptr) return;
  if (bytes < kShared) return FreeAlone(memory);
  Regions::Instance().Free(memory);
}

#else

void* AllocateNumbers(size_t bytes) { return AllocateAlone(bytes); }

void FreeNumbers(void* memory, size_t) {
  if (memory != nullptr) FreeAlone(memory);
}

#endif

#ifdef __linux__

void PopulatePages(void* memory, size_t bytes) {
  // The pages of smaller ones come from the heap, and have mostly been used before.
  constexpr size_t kWorthATrip = 1 << 20;
  if (bytes < kWorthATrip) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (address + page - 1) / page * page;
  const uintptr_t last = (address + bytes) / page * page;
  // Huge pages, where the system grants them, are five hundred times fewer to ask for.
  madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  // Refused by an older kernel, or where there is no memory: then the pages come one by one.
  madvise(reinterpret_cast<void*>(first), last - first, MADV_POPULATE_WRITE);
}

#else

void PopulatePages(void*, size_t) {}

#endif

}  // namespace gaussflow
