// Reads the rows of a data file for dataset.h: after a header of `offset` bytes the file has n rows
// of `width` doubles, little-endian. Rows are read block by block and not mapped, because a file
// that is cut off under a mapping kills the process.
#ifndef GAUSSFLOW_CORE_ROW_FILE_H_
#define GAUSSFLOW_CORE_ROW_FILE_H_

#include <cstdint>
#include <cstdio>
#include <string>

namespace gaussflow {

// What tells one version of a file from another.
struct FileVersion {
  uint64_t size = 0;
  // Nanoseconds of the last change. On Windows only the whole seconds of them are compared.
  int64_t changed = 0;
  uint64_t inode = 0;  // not on Windows
};

class RowFile {
 public:
  RowFile() = default;
  ~RowFile() { Close(); }
  RowFile(const RowFile&) = delete;
  RowFile& operator=(const RowFile&) = delete;

  // False where the file cannot be opened or is not of that version.
  bool Open(const std::string& path, uint64_t offset, size_t width, const FileVersion& version);
  bool is_open() const { return file_ != nullptr; }
  size_t width() const { return width_; }
  // Rows [first, first + count) into `out`. False where they cannot be had, or where the file is of
  // another version once they are read.
  bool Read(size_t first, size_t count, double* out) const;

 private:
  void Close();
  bool IsOfVersion() const;

  std::FILE* file_ = nullptr;
  uint64_t offset_ = 0;
  size_t width_ = 0;
  FileVersion version_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ROW_FILE_H_
