#include "row_file.h"

#include <sys/stat.h>

namespace gaussflow {

namespace {

#ifdef _WIN32
using Stat = struct _stat64;
bool StatOf(std::FILE* file, Stat* out) { return _fstat64(_fileno(file), out) == 0; }
bool Seek(std::FILE* file, uint64_t at) {
  return _fseeki64(file, static_cast<int64_t>(at), SEEK_SET) == 0;
}
int64_t Nanoseconds(const Stat&) { return 0; }
#else
using Stat = struct stat;
bool StatOf(std::FILE* file, Stat* out) { return fstat(fileno(file), out) == 0; }
bool Seek(std::FILE* file, uint64_t at) {
  return fseeko(file, static_cast<off_t>(at), SEEK_SET) == 0;
}
#ifdef __APPLE__
int64_t Nanoseconds(const Stat& status) { return status.st_mtimespec.tv_nsec; }
#else
int64_t Nanoseconds(const Stat& status) { return status.st_mtim.tv_nsec; }
#endif
#endif

}  // namespace

bool RowFile::Open(const std::string& path, uint64_t offset, size_t width, uint64_t size) {
  Close();
  file_ = std::fopen(path.c_str(), "rb");
  if (file_ == nullptr) return false;
  // Blocks are large: a buffer between would only copy them once more.
  std::setvbuf(file_, nullptr, _IONBF, 0);
  Stat status;
  if (!StatOf(file_, &status) || static_cast<uint64_t>(status.st_size) != size) {
    Close();
    return false;
  }
  offset_ = offset;
  width_ = width;
  size_ = size;
  seconds_ = static_cast<int64_t>(status.st_mtime);
  nanoseconds_ = Nanoseconds(status);
  return true;
}

bool RowFile::Unchanged() const {
  Stat status;
  return StatOf(file_, &status) && static_cast<uint64_t>(status.st_size) == size_ &&
         static_cast<int64_t>(status.st_mtime) == seconds_ && Nanoseconds(status) == nanoseconds_;
}

bool RowFile::Read(size_t first, size_t count, double* out) const {
  if (!Seek(file_, offset_ + static_cast<uint64_t>(first) * width_ * sizeof(double))) return false;
  return std::fread(out, width_ * sizeof(double), count, file_) == count && Unchanged();
}

void RowFile::Close() {
  if (file_ != nullptr) std::fclose(file_);
  file_ = nullptr;
}

}  // namespace gaussflow
