// Memory that is refused: operator new in all forms that the core uses, and the mappings behind
// large buffers, counted while armed; one of them, by its number, is refused. For one program: it
// replaces the global operators.
#ifndef GAUSSFLOW_TEST_FAULTS_H_
#define GAUSSFLOW_TEST_FAULTS_H_

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__linux__) && !defined(GAUSSFLOW_SANITIZE)
#include <dlfcn.h>
#include <sys/mman.h>
#define GAUSSFLOW_FAULTY_MMAP
extern "C" char __executable_start, etext;
#endif

namespace gaussflow::test {

class Faults {
 public:
  // Refuses allocation number `at` (from 0) from now on; none where it is never reached.
  static void Arm(long at) {
    seen_ = 0;
    at_ = at;
    armed_ = true;
  }
  // The allocations since Arm.
  static long Disarm() {
    armed_ = false;
    return seen_;
  }
  static bool Refuses() { return armed_ && seen_++ == at_; }

 private:
  static inline std::atomic<bool> armed_{false};
  static inline std::atomic<long> seen_{0};
  static inline std::atomic<long> at_{0};
};

inline void* AllocateOrThrow(std::size_t bytes) {
  void* const memory = Faults::Refuses() ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

inline void* AllocateAligned(std::size_t bytes, std::align_val_t alignment) noexcept {
  if (Faults::Refuses()) return nullptr;
  const auto line = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(line, (bytes + line - 1) / line * line);
}

}  // namespace gaussflow::test

void* operator new(std::size_t bytes) { return gaussflow::test::AllocateOrThrow(bytes); }
void* operator new[](std::size_t bytes) { return gaussflow::test::AllocateOrThrow(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return gaussflow::test::Faults::Refuses() ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return gaussflow::test::AllocateAligned(bytes, alignment);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  void* const memory = gaussflow::test::AllocateAligned(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return operator new(bytes, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#ifdef GAUSSFLOW_FAULTY_MMAP
// Only what this program asks for: OpenBLAS never takes a refusal for an answer.
extern "C" void* mmap(void* address, std::size_t bytes, int protection, int flags, int file,
                      off_t offset) {
  using Map = void* (*)(void*, std::size_t, int, int, int, off_t);
  static const Map map = reinterpret_cast<Map>(dlsym(RTLD_NEXT, "mmap"));
  const char* const caller = static_cast<const char*>(__builtin_return_address(0));
  const bool own = caller >= &__executable_start && caller < &etext;
  if (own && gaussflow::test::Faults::Refuses()) return MAP_FAILED;
  return map(address, bytes, protection, flags, file, offset);
}
#endif

#endif  // GAUSSFLOW_TEST_FAULTS_H_
