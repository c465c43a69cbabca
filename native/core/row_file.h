// A file of samples: after a header of `offset` bytes n rows of `width` doubles, little-endian.
// Rows are read block by block (no mapping: a file that is cut off under a mapping kills the
// process).
#ifndef GAUSSFLOW_CORE_ROW_FILE_H_
#define GAUSSFLOW_CORE_ROW_FILE_H_

#include <cstdint>
#include <cstdio>
#include <string>

namespace gaussflow {

class RowFile {
 public:
  RowFile() = default;
  ~RowFile() { Close(); }
  RowFile(const RowFile&) = delete;
  RowFile& operator=(const RowFile&) = delete;

  // False where the file cannot be opened or is not `size` bytes long.
  bool Open(const std::string& path, uint64_t offset, size_t width, uint64_t size);
  bool is_open() const { return file_ != nullptr; }
  size_t width() const { return width_; }
  // Rows [first, first + count) into `out`. False where they cannot be had, or where the file is
  // not the one that was opened any more: another size or time of change.
  bool Read(size_t first, size_t count, double* out) const;

 private:
  void Close();
  bool Unchanged() const;

  std::FILE* file_ = nullptr;
  uint64_t offset_ = 0;
  size_t width_ = 0;
  uint64_t size_ = 0;
  int64_t seconds_ = 0;  // of the last change
  int64_t nanoseconds_ = 0;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ROW_FILE_H_
