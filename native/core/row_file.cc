// Implements the reading of rows of a data file (row_file.h), and the check that the file has not
// changed since it was opened.
#include "row_file.h"

#include <sys/stat.h>

namespace gaussflow {

namespace {

constexpr int64_t kSecond = 1000000000;  // in nanoseconds

#ifdef _WIN32
using Stat = struct _stat64;
bool StatOf(std::FILE* file, Stat* out) { return _fstat64(_fileno(file), out) == 0; }
bool Seek(std::FILE* file, uint64_t at) {
  return _fseeki64(file, static_cast<int64_t>(at), SEEK_SET) == 0;
}
bool SameFile(const Stat& status, const FileVersion& version) {
  return static_cast<int64_t>(status.st_mtime) == version.changed / kSecond;
}
#else
using Stat = struct stat;
bool StatOf(std::FILE* file, Stat* out) { return fstat(fileno(file), out) == 0; }
bool Seek(std::FILE* file, uint64_t at) {
  return fseeko(file, static_cast<off_t>(at), SEEK_SET) == 0;
}
bool SameFile(const Stat& status, const FileVersion& version) {
#ifdef __APPLE__
  const timespec& changed = status.st_mtimespec;
#else
  const timespec& changed = status.st_mtim;
#endif
  return static_cast<int64_t>(changed.tv_sec) * kSecond + changed.tv_nsec == version.changed &&
         static_cast<uint64_t>(status.st_ino) == version.inode;
}
#endif

}  // namespace

bool RowFile::Open(const std::string& path, uint64_t offset, size_t width,
                   const FileVersion& version) {
  Close();
  file_ = std::fopen(path.c_str(), "rb");
  if (file_ == nullptr) return false;
  // Blocks are large: a buffer between would only copy them once more.
  std::setvbuf(file_, nullptr, _IONBF, 0);
  offset_ = offset;
  width_ = width;
  version_ = version;
  if (IsOfVersion()) return true;
  Close();
  return false;
}

bool RowFile::IsOfVersion() const {
  Stat status;
  return StatOf(file_, &status) && static_cast<uint64_t>(status.st_size) == version_.size &&
         SameFile(status, version_);
}

bool RowFile::Read(size_t first, size_t count, double* out) const {
  if (!Seek(file_, offset_ + static_cast<uint64_t>(first) * width_ * sizeof(double))) return false;
  return std::fread(out, width_ * sizeof(double), count, file_) == count && IsOfVersion();
}

void RowFile::Close() {
  if (file_ != nullptr) std::fclose(file_);
  file_ = nullptr;
}

}  // namespace gaussflow
