// Turns refused memory, an exception inside the core, into a Status. The binding (engine_object.cc,
// promise_worker.h) calls every function of the engine through Guarded; blas.cc allocates its
// scratch by Zeros, and gemm.cc throws OutOfMemory.
#ifndef GAUSSFLOW_CORE_GUARDED_H_
#define GAUSSFLOW_CORE_GUARDED_H_

#include <cstddef>
#include <exception>
#include <limits>
#include <new>
#include <stdexcept>
#include <vector>

#include "status.h"

namespace gaussflow {

// A bad_alloc that knows how many bytes were asked for.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(size_t bytes) : bytes_(bytes) {}
  size_t bytes() const { return bytes_; }
  const char* what() const noexcept override { return "memory cannot be had"; }

 private:
  size_t bytes_;
};

// `count` zeros. Throws OutOfMemory with their bytes.
template <typename T>
std::vector<T> Zeros(size_t count) {
  constexpr size_t kMost = std::numeric_limits<size_t>::max() / sizeof(T);
  try {
    return std::vector<T>(count);
  } catch (const std::exception&) {
    throw OutOfMemory(count < kMost ? count * sizeof(T) : kMost);
  }
}

// A copy of `count` numbers. Throws OutOfMemory with their bytes.
template <typename T>
std::vector<T> Copied(const T* from, size_t count) {
  try {
    return std::vector<T>(from, from + count);
  } catch (const std::exception&) {
    throw OutOfMemory(count * sizeof(T));
  }
}

// The status of call(), a function that returns one. Every call of an Engine may throw bad_alloc
// from a container, on the caller's thread or a pool thread: whoever calls an Engine does it
// through this function, so that no exception goes any further. Status::Memory(0) is memory of
// unknown size.
template <typename Call>
Status Guarded(const Call& call) noexcept {
  try {
    return call();
  } catch (const OutOfMemory& error) {
    return Status::Memory(error.bytes());
  } catch (const std::bad_alloc&) {
    return Status::Memory(0);
  } catch (const std::length_error&) {
    return Status::Memory(std::numeric_limits<size_t>::max());
  } catch (...) {
    return Status::Internal();
  }
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_GUARDED_H_
