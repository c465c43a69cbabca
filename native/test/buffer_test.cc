// Buffers: aligned, apart from each other in any order of making and freeing, given back to the
// system, and refused where no memory is; pages asked for at once.
#include "buffer.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "check.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

struct Piece {
  unsigned char* memory;
  size_t bytes;
  unsigned char mark;
};

bool Holds(const Piece& piece) {
  for (size_t i = 0; i < piece.bytes; i += 997)
    if (piece.memory[i] != piece.mark) return false;
  return piece.memory[piece.bytes - 1] == piece.mark;
}

// Makes and frees pieces of 1 kB to 6 MB at random; what one was filled with must stand until the
// end.
void Churn(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Piece> pieces;
  for (int round = 0; round < 400; ++round) {
    if (pieces.size() < 12 && random() % 5 < 3) {
      const size_t bytes = (size_t{1} << (10 + random() % 13)) + random() % 5000;
      const auto mark = static_cast<unsigned char>(random());
      auto* memory = static_cast<unsigned char*>(AllocateNumbers(bytes));
      CHECK(memory != nullptr, "no %zu bytes", bytes);
      CHECK(reinterpret_cast<uintptr_t>(memory) % 64 == 0, "%p is not aligned to a line", memory);
      std::memset(memory, mark, bytes);
      pieces.push_back({memory, bytes, mark});
    } else if (!pieces.empty()) {
      const size_t which = random() % pieces.size();
      CHECK(Holds(pieces[which]), "a buffer of %zu bytes was written over", pieces[which].bytes);
      FreeNumbers(pieces[which].memory, pieces[which].bytes);
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
  for (const Piece& piece : pieces) {
    CHECK(Holds(piece), "a buffer of %zu bytes was written over", piece.bytes);
    FreeNumbers(piece.memory, piece.bytes);
  }
}

// Resident bytes of this process, 0 where the system does not tell.
size_t Resident() {
#ifdef __linux__
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  size_t total = 0, resident = 0;
  const int read = std::fscanf(file, "%zu %zu", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<size_t>(sysconf(_SC_PAGESIZE)) : 0;
#else
  return 0;
#endif
}

#ifdef __linux__
// Pages of [memory, memory + bytes) that are there; memory begins a page.
size_t PagesThere(void* memory, size_t bytes) {
  std::vector<unsigned char> there(bytes / static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  if (mincore(memory, bytes, there.data()) != 0) return 0;
  return static_cast<size_t>(
      std::count_if(there.begin(), there.end(), [](unsigned char p) { return (p & 1) != 0; }));
}

// All pages of a large array are there at once, those of a small one as they come, none outside of
// it, and what is written in it stays.
void TestPopulate() {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), large = size_t{1} << 20;
  const size_t mapped = 4 * large;
  void* const whole =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(whole != MAP_FAILED, "no memory");
  madvise(whole, mapped, MADV_NOHUGEPAGE);
  auto* const memory = static_cast<unsigned char*>(whole);
  PopulatePages(memory, large - 1);
  CHECK(PagesThere(whole, mapped) == 0, "a small array: %zu pages", PagesThere(whole, mapped));
  memory[5] = 7;
  // From within the first page to within another: the whole pages between.
  PopulatePages(memory + 5, 2 * large);
  const size_t there = PagesThere(whole, mapped);
  // 1: the kernel is older than Linux 5.14.
  CHECK(there == 2 * large / page || there == 1, "a large array: %zu pages", there);
  CHECK(memory[5] == 7 && memory[page] == 0, "written over");
  PopulatePages(nullptr, 0);
  munmap(whole, mapped);
}
#else
void TestPopulate() { PopulatePages(nullptr, 0); }
#endif

}  // namespace

int main() {
  Churn(1);
  std::vector<std::thread> threads;
  for (unsigned seed = 2; seed < 6; ++seed) threads.emplace_back(Churn, seed);
  for (std::thread& thread : threads) thread.join();

  TestPopulate();

#ifndef GAUSSFLOW_SANITIZE  // which keeps freed memory for a while
  // A small buffer made after a large one stands beside it and must not keep its memory.
  const size_t large = (size_t{64} << 20) + 12345, small = 100000;
  void* first = AllocateNumbers(large);
  void* second = AllocateNumbers(small);
  std::memset(first, 1, large);
  std::memset(second, 1, small);
  const size_t before = Resident();
  FreeNumbers(first, large);
  const size_t after = Resident();
  if (before > 0)
    CHECK(before - after > (size_t{60} << 20), "of 64 MB freed only %zu bytes went back",
          before - after);
  FreeNumbers(second, small);
#endif

  for (const size_t count : {SIZE_MAX / 8, SIZE_MAX / 64}) {
    Buffer buffer;
    CHECK(!buffer.Reserve(count), "%zu numbers were granted", count);
    CHECK(buffer.Reserve(1000), "no room after a refusal");
  }
  return Finish();
}
