// Implements the forming of the Gram matrix from pair products (gram_builder.h, pair_product.h),
// one task a tile.
#include "curvature/gram_builder.h"

#include <algorithm>

#include "curvature/gram_tiles.h"
#include "simd.h"
#include "thread_pool.h"

namespace gaussflow {

using gram_tiles::kChunk;
using gram_tiles::kLeftWide;
using gram_tiles::kLines;
using gram_tiles::kRightWide;
using gram_tiles::PairCount;
using gram_tiles::RoundUp;
using gram_tiles::Shape;

namespace {

// One sample's pairs. Whole lanes are written, so the end of a run spills into the run behind it,
// which comes next.
template <typename T>
[[gnu::always_inline]] inline void FormSample(const std::vector<PairRun>& runs, const T* from_row,
                                              const T* by_row, T* out) {
  constexpr size_t kLanes = TangentRows<T>::kLanes;
  for (const PairRun& run : runs) {
    T* __restrict to = out + run.begin;
    const T* from = from_row + run.vector;
    const T* scalar = by_row + run.scalar;
    if (run.terms == 1) {
      const T factor = *scalar;
      for (size_t j = 0; j < run.length; j += kLanes)
        for (size_t lane = 0; lane < kLanes; ++lane) to[j + lane] = from[j + lane] * factor;
      continue;
    }
    for (size_t j = 0; j < run.length; j += kLanes) {
      T sum[kLanes];
      for (size_t lane = 0; lane < kLanes; ++lane) sum[lane] = from[j + lane] * *scalar;
      for (size_t t = 1; t < run.terms; ++t) {
        const T factor = scalar[t * run.scalar_step];
        const T* next = from + t * run.vector_step + j;
        for (size_t lane = 0; lane < kLanes; ++lane) sum[lane] += next[lane] * factor;
      }
      for (size_t lane = 0; lane < kLanes; ++lane) to[j + lane] = sum[lane];
    }
  }
}

// Pair vectors of samples [s0, s0 + size), made in `line` and laid out as the panels of `shape`.
template <size_t kWide, typename T>
[[gnu::always_inline]] inline void FormPanels(const std::vector<PairRun>& runs, const T* from,
                                              size_t from_stride, const T* by, size_t by_stride,
                                              size_t size, T* line, const PanelShape<T>& shape,
                                              T* out) {
  constexpr size_t kLanes = TangentRows<T>::kLanes;
  const size_t stride = shape.Stride(), whole = shape.groups / kWide;
  const size_t rest = (shape.groups % kWide) * kLanes;
  const size_t room = (shape.groups + 1) * kLanes;
  for (size_t i0 = 0; i0 < size; i0 += kLines) {
    const size_t lines = std::min(kLines, size - i0);
    for (size_t i = 0; i < lines; ++i)
      FormSample(runs, from + (i0 + i) * from_stride, by + (i0 + i) * by_stride, line + i * room);
    for (size_t p = 0; p < whole; ++p) {
      T* __restrict to = out + p * stride + i0 * kWide * kLanes;
      const T* part = line + p * kWide * kLanes;
      for (size_t i = 0; i < lines; ++i)
        for (size_t j = 0; j < kWide * kLanes; ++j) to[i * kWide * kLanes + j] = part[i * room + j];
    }
    for (size_t i = 0; i < lines; ++i)
      std::copy_n(line + i * room + whole * kWide * kLanes, rest,
                  out + whole * stride + (i0 + i) * rest);
  }
}

// One function a type and kind, not templates: the compiler makes clones for several processors of
// plain functions only.
GAUSSFLOW_CLONES
void FormLeft(const std::vector<PairRun>& runs, const TangentRows<double>& rows, size_t layer,
              size_t other, size_t s0, size_t size, double* line, const PanelShape<double>& shape,
              double* out) {
  FormPanels<kLeftWide>(runs, rows.Deltas(layer, s0), rows.DeltaStride(layer),
                        rows.Deltas(other, s0), rows.DeltaStride(other), size, line, shape, out);
}
GAUSSFLOW_CLONES
void FormRight(const std::vector<PairRun>& runs, const TangentRows<double>& rows, size_t layer,
               size_t other, size_t s0, size_t size, double* line, const PanelShape<double>& shape,
               double* out) {
  FormPanels<kRightWide>(runs, rows.Inputs(layer, s0), rows.InputStride(layer),
                         rows.Inputs(other, s0), rows.InputStride(other), size, line, shape, out);
}
GAUSSFLOW_CLONES
void FormLeft(const std::vector<PairRun>& runs, const TangentRows<float>& rows, size_t layer,
              size_t other, size_t s0, size_t size, float* line, const PanelShape<float>& shape,
              float* out) {
  FormPanels<kLeftWide>(runs, rows.Deltas(layer, s0), rows.DeltaStride(layer),
                        rows.Deltas(other, s0), rows.DeltaStride(other), size, line, shape, out);
}
GAUSSFLOW_CLONES
void FormRight(const std::vector<PairRun>& runs, const TangentRows<float>& rows, size_t layer,
               size_t other, size_t s0, size_t size, float* line, const PanelShape<float>& shape,
               float* out) {
  FormPanels<kRightWide>(runs, rows.Inputs(layer, s0), rows.InputStride(layer),
                         rows.Inputs(other, s0), rows.InputStride(other), size, line, shape, out);
}

// The runs of pairs [begin, end), cut at its ends and counted from `begin`.
std::vector<PairRun> CutRuns(const std::vector<PairRun>& runs, size_t begin, size_t end) {
  std::vector<PairRun> part;
  auto run = std::upper_bound(runs.begin(), runs.end(), begin,
                              [](size_t at, const PairRun& r) { return at < r.begin; });
  for (--run; run != runs.end() && run->begin < end; ++run) {
    PairRun cut = *run;
    const size_t skipped = begin > run->begin ? begin - run->begin : 0;
    cut.first += skipped;
    cut.vector += skipped;
    cut.length = std::min(run->begin + run->length, end) - run->begin - skipped;
    cut.begin = run->begin + skipped - begin;
    part.push_back(cut);
  }
  return part;
}

}  // namespace

template <typename T>
Status GramBuilder<T>::Add(const Tangents& tangents, bool first, const Cancel& cancel,
                           const ColumnsOf<T>& g) {
  const auto [from, end] = g.range;
  if (columns_.first != from || columns_.end != end) MakeTasks(g.range);
  const size_t line_room = Room::Line(), per_worker = room_.PerWorker();
  const size_t total = per_worker * static_cast<size_t>(threads_);
  if (!scratch_.Reserve(total)) return Status::Memory(total * sizeof(T));
  const Status status = rows_.Fill(tangents, cancel);
  if (!status.ok()) return status;
  if (first && net_.output_size > 1) {
    // Pairs of different units of the last layer have no task.
    const size_t begin = net_.layers.back().weight_offset;
    for (size_t j = std::max(begin, from); j < end; ++j)
      std::fill_n(g.column(j) + begin, j - begin + 1, T(0));
  }
  const size_t samples = rows_.count();
  const bool done =
      ThreadPool::Instance().Run(threads_, tasks_.size(), cancel, [&](size_t index, int worker) {
        const Task& task = tasks_[index];
        const Block& block = blocks_[task.block];
        const std::vector<PairRun> lefts = CutRuns(block.left, task.left_begin, task.left_end);
        const std::vector<PairRun> rights = CutRuns(block.right, task.right_begin, task.right_end);
        const auto left_shape = Shape<T>(PairCount(lefts), kLeftWide);
        const auto right_shape = Shape<T>(PairCount(rights), kRightWide);
        T* line = scratch_.data() + static_cast<size_t>(worker) * per_worker;
        T* left = line + line_room;
        T* right = left + room_.left;
        T* values = right + room_.right;  // [left][right], right padded to whole lines
        std::fill_n(line, line_room, T(0));
        for (size_t s0 = 0; s0 < samples; s0 += kChunk) {
          const size_t size = std::min(kChunk, samples - s0);
          FormLeft(lefts, rows_, block.layer, block.other, s0, size, line, left_shape, left);
          FormRight(rights, rows_, block.layer, block.other, s0, size, line, right_shape, right);
          PairProduct(right_shape, right, left_shape, left, size, s0 > 0, values,
                      right_shape.groups * PanelShape<T>::kLanes);
        }
        Scatter(block, lefts, rights, values, first, g);
      });
  return done ? Status::Ok() : Status::Canceled();
}

template <typename T>
void GramBuilder<T>::Scatter(const Block& block, const std::vector<PairRun>& left,
                             const std::vector<PairRun>& right, const T* values, bool overwrite,
                             const ColumnsOf<T>& g) const {
  const Layer& layer = net_.layers[block.layer];
  const Layer& other = net_.layers[block.other];
  const size_t height = RoundUp(PairCount(right), TangentRows<T>::kLanes);
  const auto position = [](const Layer& at, size_t unit, size_t input) {
    return input == at.inputs ? at.bias_offset + unit : at.weight_offset + unit * at.inputs + input;
  };
  // Neighbors in `from` go to neighbors in `to`.
  const auto put = [overwrite](const T* from, size_t count, T* to) {
    if (overwrite) {
      std::copy_n(from, count, to);
    } else {
      for (size_t i = 0; i < count; ++i) to[i] += from[i];
    }
  };
  for (const PairRun& units : left) {
    const size_t p = units.second;
    for (size_t o = units.first; o < units.first + units.length; ++o, values += height) {
      // (o,k) with (p,q), k <= q inside a layer: never below the diagonal, a bias standing behind
      // its layer's weights.
      for (const PairRun& run : right) {
        T* column = g.column(position(other, p, run.second));
        const size_t end = run.first + run.length, weights = std::min(end, layer.inputs);
        if (weights > run.first)
          put(values + run.begin, weights - run.first, column + position(layer, o, run.first));
        if (end > layer.inputs)
          put(values + run.begin + run.length - 1, 1, column + layer.bias_offset + o);
      }
      // (o,q) with (p,k) has the same value; it is another entry unless o = p or k = q.
      if (block.layer != block.other || o == p) continue;
      size_t behind = 0;  // the first run with q > k
      const size_t inputs = right.back().second;
      for (size_t k = 0; k < inputs; ++k) {
        while (right[behind].second <= k) ++behind;
        const size_t at = position(layer, p, k);
        for (size_t r = behind; r < right.size(); ++r) {
          const PairRun& run = right[r];
          if (k < run.first || k >= run.first + run.length) continue;
          const T* value = values + run.begin + (k - run.first);
          // The bias of unit o stands behind the weights of unit p.
          if (run.second == layer.inputs) {
            put(value, 1, g.column(layer.bias_offset + o) + at);
          } else {
            put(value, 1, g.column(at) + position(layer, o, run.second));
          }
        }
      }
    }
  }
}

template <typename T>
void GramBuilder<T>::Scales(double* scales) const {
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    for (size_t o = 0; o < layer.outputs; ++o) {
      for (size_t k = 0; k < layer.inputs; ++k)
        scales[layer.weight_offset + o * layer.inputs + k] = rows_.Scale(l, o, k);
      if (layer.bias) scales[layer.bias_offset + o] = rows_.Scale(l, o, layer.inputs);
    }
  }
}

template class GramBuilder<double>;
template class GramBuilder<float>;

}  // namespace gaussflow
