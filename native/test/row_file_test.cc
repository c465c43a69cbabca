// Rows of a file: any range of them, and false - never other numbers - where they cannot be had:
// no file, another size, rows beyond the end, a file that changes while it is open.
#include "row_file.h"

#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <utility>

#include "check.h"
#include "file_version.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr uint64_t kOffset =
    24;  // no multiple of a page: the header's length is the caller's affair
constexpr size_t kWidth = 3, kRows = 1000;
constexpr uint64_t kSize = kOffset + kRows * kWidth * sizeof(double);

double Value(size_t row, size_t column) {
  return static_cast<double>(row) + 0.25 * static_cast<double>(column);
}

void Write(const std::string& path, size_t rows, double shift) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr, "%s", path.c_str());
  if (file == nullptr) return;
  const Vector header(kOffset / sizeof(double), -1.0);
  std::fwrite(header.data(), sizeof(double), header.size(), file);
  for (size_t i = 0; i < rows; ++i)
    for (size_t k = 0; k < kWidth; ++k) {
      const double value = Value(i, k) + shift;
      std::fwrite(&value, sizeof(double), 1, file);
    }
  std::fclose(file);
}

bool Open(RowFile* file, const std::string& path) {
  return file->Open(path, kOffset, kWidth, VersionOf(path));
}

}  // namespace

int main() {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("gaussflow-row-file-" + std::to_string(std::random_device{}()));
  fs::create_directories(folder);
  const std::string path = (folder / "rows").string();
  Write(path, kRows, 0.0);

  {
    RowFile file;
    CHECK(!Open(&file, (folder / "none").string()), "no such file");
    for (const uint64_t size : {kSize - 8, kSize + 8}) {
      FileVersion version = VersionOf(path);
      version.size = size;
      CHECK(!file.Open(path, kOffset, kWidth, version), "%g bytes", static_cast<double>(size));
    }
    FileVersion earlier = VersionOf(path);
    earlier.changed -= 1000000000;
    CHECK(!file.Open(path, kOffset, kWidth, earlier), "changed since its version was taken down");
#ifndef _WIN32
    FileVersion precise = VersionOf(path), other = VersionOf(path);
    precise.changed -= 1;
    ++other.inode;
    CHECK(!file.Open(path, kOffset, kWidth, precise), "changed a nanosecond later");
    CHECK(!file.Open(path, kOffset, kWidth, other), "another file of the same size and time");
#endif
    CHECK(!file.is_open(), "a refused file stays closed");
  }

  {
    RowFile file;
    CHECK(Open(&file, path) && file.is_open(), "a sound file");
    CHECK(file.width() == kWidth, "width %zu", file.width());
    // Forwards, backwards, all at once, none.
    for (const auto& [first, count] : std::vector<std::pair<size_t, size_t>>{
             {0, 1}, {999, 1}, {500, 37}, {499, 2}, {0, kRows}, {kRows, 0}}) {
      Vector rows(count * kWidth + 1, -7.0);
      CHECK(file.Read(first, count, rows.data()), "rows %zu + %zu", first, count);
      for (size_t k = 0; k < count * kWidth; ++k)
        CHECK(rows[k] == Value(first + k / kWidth, k % kWidth), "row %zu holds %g",
              first + k / kWidth, rows[k]);
      CHECK(rows.back() == -7.0, "wrote beyond %zu rows", count);
    }
    Vector rows(2 * kWidth);
    CHECK(!file.Read(kRows - 1, 2, rows.data()), "a row beyond the end");
    CHECK(file.Read(0, 2, rows.data()), "the file is as sound as before");
  }

  {
    RowFile file;
    Vector row(kWidth);
    CHECK(Open(&file, path), "a sound file");
    fs::resize_file(path, kSize - 8);
    CHECK(!file.Read(0, 1, row.data()), "cut off, although the row is still there");
  }

  {
    Write(path, kRows, 0.0);
    RowFile file;
    Vector row(kWidth);
    CHECK(Open(&file, path), "a sound file");
    // Rewritten in place with the same size. The clock of a file system may tick as slowly as every
    // two seconds: the time of change is set, not waited for.
    Write(path, kRows, 1.0);
    fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(3));
    CHECK(!file.Read(0, 1, row.data()), "other numbers under the same size");
    RowFile again;
    CHECK(Open(&again, path) && again.Read(0, 1, row.data()), "opened anew");
    CHECK(row[0] == Value(0, 0) + 1.0, "row 0 holds %g", row[0]);
  }

#ifndef _WIN32
  {
    // Another file put in its place: what is open is still the old one.
    Write(path, kRows, 0.0);
    RowFile file;
    Vector row(kWidth);
    CHECK(Open(&file, path), "a sound file");
    Write(path + ".new", kRows, 1.0);
    fs::rename(path + ".new", path);
    CHECK(file.Read(5, 1, row.data()) && row[0] == Value(5, 0), "row 5 holds %g", row[0]);
  }
#endif

  fs::remove_all(folder);
  return Finish();
}
