// Buffers: aligned, apart from each other in any order of making and freeing, given back to the
// system, and refused where no memory is; pages asked for at once.
#include "buffer.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
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

// Whether the system knows the hint that PopulatePages gives it.
bool KnowsPopulate(void* memory) {
#ifdef MADV_POPULATE_WRITE
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t at = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  return madvise(reinterpret_cast<void*>(at), page, MADV_POPULATE_WRITE) == 0;
#else
  (void)memory;
  return false;
#endif
}

// All pages of a large array are there at once, those of a small one as they come, and what is
// written in it stays.
void TestPopulate() {
  const size_t large = size_t{32} << 20, most = size_t{30} << 20;
  auto* memory = static_cast<unsigned char*>(std::calloc(large, 1));
  memory[5] = 7;
  memory[large - 1] = 9;
  const bool known = KnowsPopulate(memory);
  const size_t before = Resident();
  PopulatePages(memory + 16, 5000);
  const size_t between = Resident();
  PopulatePages(memory + 5, large - 5);
  const size_t after = Resident();
  if (known && before > 0) {
    CHECK(between < before + (size_t{1} << 20), "a small array: %zu bytes after %zu", between,
          before);
    CHECK(after > between + most, "a large array: %zu bytes after %zu", after, between);
  }
  CHECK(memory[5] == 7 && memory[large - 1] == 9 && memory[large / 2] == 0, "written over");
  PopulatePages(nullptr, 0);
  std::free(memory);
}

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
