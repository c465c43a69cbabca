// A grow-only, cache-line aligned array of numbers. Growing discards the contents; a failed
// allocation is reported, not thrown.
#ifndef GAUSSFLOW_CORE_BUFFER_H_
#define GAUSSFLOW_CORE_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace gaussflow {

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
    data_ = static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64}, std::nothrow));
    if (data_ == nullptr) return false;
    size_ = count;
    return true;
  }

  void Release() {
    if (data_ != nullptr) ::operator delete (data_, std::align_val_t{64});
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
