// Implements Dataset (dataset.h): copies samples into rows of features, and reads and scales the
// blocks of a file.
#include "dataset.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <utility>

namespace gaussflow {

namespace {

// Rows that are read from a file at a time: about 1 MiB of doubles.
constexpr size_t kReadDoubles = 1 << 17;

// Doubles whose pages are touched at a time: two huge pages, some milliseconds.
constexpr size_t kTouched = 1 << 19;

// Rows and columns of a block that is turned round at a time: the lines that it writes to stay in
// the nearest cache.
constexpr size_t kBlockRows = 16, kBlockColumns = 64;

// to[k * stride + i] = from[i * columns + k]
void Turn(size_t rows, size_t columns, const double* from, double* to, size_t stride) {
  for (size_t i0 = 0; i0 < rows; i0 += kBlockRows)
    for (size_t k0 = 0; k0 < columns; k0 += kBlockColumns)
      for (size_t k = k0; k < std::min(columns, k0 + kBlockColumns); ++k)
        for (size_t i = i0; i < std::min(rows, i0 + kBlockRows); ++i)
          to[k * stride + i] = from[i * columns + k];
}

// Index of the first number that is not finite; `count` where all are.
size_t FirstNotFinite(const double* values, size_t count) {
  constexpr size_t kRun = 512;
  for (size_t begin = 0; begin < count; begin += kRun) {
    const size_t end = std::min(count, begin + kRun);
    bool finite = true;
    for (size_t i = begin; i < end; ++i) finite &= std::fabs(values[i]) <= DBL_MAX;
    if (finite) continue;
    for (size_t i = begin; i < end; ++i)
      if (!std::isfinite(values[i])) return i;
  }
  return count;
}

}  // namespace

Dataset::Counts Dataset::CountsOf(size_t count, size_t d, size_t c, bool weighted) {
  return {count * d, count * c, 0, weighted ? count : 0};
}

Dataset::Counts Dataset::WindowCounts(size_t count, size_t d, size_t c, size_t width) {
  const size_t piece = std::min(count, std::max<size_t>(1, kReadDoubles / width));
  return {count * d, count * c, piece * width, 0};
}

double Dataset::EstimateBytes(const Sizes& sizes, size_t window) {
  const size_t d = sizes.net.input_size, c = sizes.net.target_size();
  if (sizes.file_width == 0) return CountsOf(sizes.samples, d, c, sizes.weighted).bytes();
  return WindowCounts(window, d, c, sizes.file_width).bytes() +
         CountsOf(sizes.samples, 0, 0, sizes.weighted).bytes();
}

double Dataset::EstimateSubsetBytes(const Architecture& net, size_t count) {
  return CountsOf(count, net.input_size, net.target_size(), true).bytes();
}

Status Dataset::Grow(const Counts& counts) const {
  for (const auto& [buffer, count] :
       {std::pair{&inputs_, counts.inputs}, std::pair{&targets_, counts.targets},
        std::pair{&rows_, counts.rows}})
    if (!buffer->Reserve(count)) return Status::Memory(count * sizeof(double));
  return Status::Ok();
}

Status Dataset::GrowWeights(size_t count) {
  return root_weights_.Reserve(count) ? Status::Ok() : Status::Memory(count * sizeof(double));
}

Status Dataset::Reserve(size_t n, size_t d, size_t c, bool weighted) {
  TakeShare(n);
  input_size_ = d;
  target_size_ = c;
  window_ = sample_count;
  const Counts counts = CountsOf(sample_count, d, c, weighted);
  const Status status = Grow(counts);
  return status.ok() ? GrowWeights(counts.weights) : status;
}

Status Dataset::ReserveFile(size_t n, size_t d, size_t c, const FileLayout& layout, bool weighted) {
  TakeShare(n);
  input_size_ = d;
  target_size_ = c;
  layout_ = layout;
  if (!file_.Open(layout.path, layout.offset, layout.width, layout.version)) return Status::File(0);
  return GrowWeights(CountsOf(sample_count, 0, 0, weighted).weights);
}

bool Dataset::TouchPages() {
  constexpr size_t kPage = 4096 / sizeof(double);
  const size_t next = touched_ + kTouched;
  size_t begin = 0;  // of the buffer, in doubles of all of them
  for (Buffer* buffer : {&inputs_, &targets_, &root_weights_}) {
    const size_t end = begin + buffer->size();
    for (; touched_ < std::min(next, end); touched_ += kPage)
      buffer->data()[touched_ - begin] = 0.0;
    begin = end;
  }
  return touched_ < begin;
}

void Dataset::Fill(size_t first, size_t count, const double* in, const double* out) {
  Turn(count, input_size_, in, inputs_.data() + first, sample_count);
  Turn(count, target_size_, out, targets_.data() + first, sample_count);
}

void Dataset::FillWeights(size_t first, size_t count, const double* weights) {
  for (size_t i = 0; i < count; ++i) root_weights_.data()[first + i] = std::sqrt(weights[i]);
}

Status Dataset::Set(size_t n, size_t d, size_t c, const double* in, const double* out,
                    const double* weights) {
  const Status reserved = Reserve(n, d, c, weights != nullptr);
  if (!reserved.ok()) return reserved;
  const size_t begin = slots().begin();
  Fill(0, sample_count, in + begin * d, out + begin * c);
  if (weights != nullptr) FillWeights(0, sample_count, weights + begin);
  return Status::Ok();
}

Status Dataset::ReserveSubset(const Dataset& from, size_t count) {
  TakeShare(count);
  window_ = count;
  input_size_ = from.input_size_;
  target_size_ = from.target_size_;
  const Counts counts = CountsOf(count, input_size_, target_size_, true);
  const Status status = Grow(counts);
  return status.ok() ? GrowWeights(counts.weights) : status;
}

void Dataset::Take(const Dataset& from, const uint32_t* indices, size_t count, size_t at) {
  const double share =
      std::sqrt(static_cast<double>(from.sample_count) / static_cast<double>(sample_count));
  for (size_t k = 0; k < input_size_; ++k)
    for (size_t i = 0; i < count; ++i)
      inputs_.data()[k * window_ + at + i] = from.Inputs(indices[i])[k * from.window_];
  for (size_t a = 0; a < target_size_; ++a)
    for (size_t i = 0; i < count; ++i)
      targets_.data()[a * window_ + at + i] = *from.Targets(a, indices[i]);
  const double* root = from.root_weight();
  for (size_t i = 0; i < count; ++i)
    root_weights_.data()[at + i] = share * (root == nullptr ? 1.0 : root[indices[i]]);
}

Status Dataset::Load(size_t first, size_t count) const {
  if (!file_.is_open()) return Status::Ok();
  if (window_ > 0 && begin_ <= first && first + count <= begin_ + window_) return Status::Ok();
  const size_t d = input_size_, c = target_size_, width = file_.width();
  const Counts counts = WindowCounts(count, d, c, width);
  const size_t piece = counts.rows / width, begin = slots().begin();
  window_ = 0;
  const Status reserved = Grow(counts);
  if (!reserved.ok()) return reserved;
  for (size_t done = 0; done < count; done += piece) {
    const size_t rows = std::min(piece, count - done);
    const size_t row = begin + first + done;
    if (!file_.Read(row, rows, rows_.data())) return Status::File(row);
    // Whoever opened the file has found it finite; two changes within one tick of the file system's
    // clock have the same time.
    if (const size_t bad = FirstNotFinite(rows_.data(), rows * width); bad < rows * width)
      return Status::File(row + bad / width);
    for (size_t k = 0; k < d + c; ++k) {
      double* to = (k < d ? inputs_.data() + k * count : targets_.data() + (k - d) * count) + done;
      const double offset = layout_.column_offset[k], scale = layout_.column_scale[k];
      for (size_t i = 0; i < rows; ++i) to[i] = (rows_.data()[i * width + k] - offset) / scale;
    }
  }
  begin_ = first;
  window_ = count;
  return Status::Ok();
}

Status Dataset::CopyInputs(size_t first, size_t count, double* out) const {
  const Status loaded = Load(first, count);
  if (!loaded.ok()) return loaded;
  const double* from = Inputs(first);
  for (size_t i = 0; i < count; ++i)
    for (size_t k = 0; k < input_size_; ++k) out[i * input_size_ + k] = from[k * stride() + i];
  return Status::Ok();
}

}  // namespace gaussflow
