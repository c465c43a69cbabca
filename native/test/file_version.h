// The version of a file, as whoever opens a data file takes it down.
#ifndef GAUSSFLOW_TEST_FILE_VERSION_H_
#define GAUSSFLOW_TEST_FILE_VERSION_H_

#include <sys/stat.h>

#include <string>

#include "row_file.h"

namespace gaussflow::test {

// All zero where there is no such file.
inline FileVersion VersionOf(const std::string& path) {
  FileVersion version;
#ifdef _WIN32
  struct _stat64 status;
  if (_stat64(path.c_str(), &status) != 0) return version;
  version.changed = status.st_mtime * 1000000000LL;
#else
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return version;
#ifdef __APPLE__
  const timespec& changed = status.st_mtimespec;
#else
  const timespec& changed = status.st_mtim;
#endif
  version.changed = static_cast<int64_t>(changed.tv_sec) * 1000000000 + changed.tv_nsec;
  version.inode = status.st_ino;
#endif
  version.size = static_cast<uint64_t>(status.st_size);
  return version;
}

}  // namespace gaussflow::test

#endif  // GAUSSFLOW_TEST_FILE_VERSION_H_
