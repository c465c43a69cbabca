// Buffer is a grow-only, cache-line aligned array of numbers. Dataset, passes, products and
// curvatures hold all their large arrays in it and reserve them at each call. Growing discards the
// contents. A failed allocation is reported, not thrown.
#ifndef GAUSSFLOW_CORE_BUFFER_H_
#define GAUSSFLOW_CORE_BUFFER_H_

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace gaussflow {

void* AllocateNumbers(size_t bytes);
void FreeNumbers(void* memory, size_t bytes);

// Before a large array is filled for the first time: asks for its pages in one trip into the system
// instead of one a page. A hint, without effect on the contents.
void PopulatePages(void* memory, size_t bytes);

// Resizes a vector; the pages of a large one come in one trip.
inline void Resize(std::vector<double>* vector, size_t count) {
  if (vector->capacity() < count) {
    vector->reserve(count);
    PopulatePages(vector->data(), count * sizeof(double));
  }
  vector->resize(count);
}

// a * b, or the largest number where that is beyond it: no buffer has so many, and Reserve refuses.
constexpr size_t Times(size_t a, size_t b) {
  constexpr size_t kMost = std::numeric_limits<size_t>::max();
  return b > 0 && a > kMost / b ? kMost : a * b;
}

template <typename T>
class BufferOf {
 public:
  BufferOf() = default;
  ~BufferOf() { Release(); }
  BufferOf(const BufferOf&) = delete;
  BufferOf& operator=(const BufferOf&) = delete;
  BufferOf(BufferOf&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

  // Makes room for `count` numbers. False when the memory cannot be had; the old contents are lost
  // either way.
  bool Reserve(size_t count) {
    if (count <= size_) return true;
    Release();
    if (count > std::numeric_limits<size_t>::max() / sizeof(T) - 64) return false;
    data_ = static_cast<T*>(AllocateNumbers(count * sizeof(T)));
    if (data_ == nullptr) return false;
    size_ = count;
    return true;
  }

  void Release() {
    FreeNumbers(data_, size_ * sizeof(T));
    data_ = nullptr;
    size_ = 0;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

using Buffer = BufferOf<double>;

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_BUFFER_H_
