// Implements the forming of the Gram matrix from pair products (gram_builder.h, pair_product.h),
// one task a tile.
#include "curvature/gram_builder.h"

#include <algorithm>

#include "pair_product.h"
#include "simd.h"
#include "thread_pool.h"

namespace gaussflow {

namespace {

// Most bytes of each kind's vectors a sample in a task (256 and 384 pairs in double), and samples
// whose pair vectors are made at a time: together with the tile they stay in a second-level cache.
constexpr size_t kLeftBytes = 2048;
constexpr size_t kRightBytes = 3072;
constexpr size_t kChunk = 64;
// Samples whose pairs are made before they are laid out, a run of memory a panel.
constexpr size_t kLines = 8;
// Groups in a panel of each kind: the register tile of PairProduct.
constexpr size_t kLeftWide = 1;
constexpr size_t kRightWide = 3;

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

size_t RoundUp(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

template <typename T>
PanelShape<T> Shape(size_t pairs, size_t wide) {
  constexpr size_t kLanes = TangentRows<T>::kLanes;
  return {RoundUp(pairs, kLanes) / kLanes, wide, kChunk};
}

// Splits `count` into equal parts of at most `most`, whole cache lines but the last.
size_t PartSize(size_t count, size_t most, size_t lanes) {
  const size_t parts = (count + most - 1) / most;
  return RoundUp((count + parts - 1) / parts, lanes);
}

size_t PairCount(const std::vector<PairRun>& runs) {
  return runs.empty() ? 0 : runs.back().begin + runs.back().length;
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
typename GramBuilder<T>::Block GramBuilder<T>::MakeBlock(size_t layer, size_t other) const {
  Block block{layer, other, {}, {}};
  const size_t c = net_.output_size;
  const size_t units = net_.layers[layer].outputs, other_units = net_.layers[other].outputs;
  const bool same = layer == other;
  const PairCounts pairs = Count(net_, layer, other);
  block.left.reserve(pairs.left_runs);
  block.right.reserve(pairs.right_runs);
  const auto add = [](std::vector<PairRun>* runs, PairRun run) {
    run.begin = PairCount(*runs);
    runs->push_back(run);
  };
  for (size_t p = 0; p < other_units; ++p) {
    if (same && net_.apart(layer)) {
      // Row a reaches only unit a of the last layer: pairs of different units vanish.
      add(&block.left, {0, 1, p, p, p, 0, p, 0, 1});
    } else if (net_.apart(other)) {
      // Only row p reaches unit p of the last layer.
      add(&block.left, {0, units, 0, p, p * units, 0, p, 0, 1});
    } else {
      add(&block.left, {0, same ? p + 1 : units, 0, p, 0, units, p, other_units, c});
    }
  }
  const size_t rights = net_.layers[layer].right_size();
  for (size_t q = 0; q < net_.layers[other].right_size(); ++q)
    add(&block.right, {0, same ? q + 1 : rights, 0, q, 0, 0, q, 0, 1});
  return block;
}

template <typename T>
typename GramBuilder<T>::PairCounts GramBuilder<T>::Count(const Architecture& net, size_t layer,
                                                          size_t other) {
  const auto triangle = [](size_t n) { return n * (n + 1) / 2; };
  const size_t units = net.layers[layer].outputs, other_units = net.layers[other].outputs;
  const size_t inputs = net.layers[layer].right_size(), others = net.layers[other].right_size();
  if (layer != other) return {units * other_units, inputs * others, other_units, others};
  return {net.apart(layer) ? units : triangle(units), triangle(inputs), units, inputs};
}

template <typename T>
typename GramBuilder<T>::Cut GramBuilder<T>::CutOf(const PairCounts& pairs) {
  constexpr size_t kLanes = TangentRows<T>::kLanes;
  Cut cut;
  cut.left_part = PartSize(pairs.left, kLeftBytes / sizeof(T), kLanes);
  cut.right_part = PartSize(pairs.right, kRightBytes / sizeof(T), kLanes);
  cut.tasks = Parts(pairs.left, cut.left_part) * Parts(pairs.right, cut.right_part);
  return cut;
}

template <typename T>
size_t GramBuilder<T>::Room::Line() {
  return kLines * (std::max(kLeftBytes, kRightBytes) / sizeof(T) + TangentRows<T>::kLanes);
}

template <typename T>
void GramBuilder<T>::Room::Raise(const Cut& cut) {
  left = std::max(left, Shape<T>(cut.left_part, kLeftWide).Size());
  right = std::max(right, Shape<T>(cut.right_part, kRightWide).Size());
  values = std::max(values, cut.left_part * cut.right_part);
}

template <typename T>
double GramBuilder<T>::EstimateBytes(const Architecture& net, int threads, size_t count) {
  Room room;
  size_t tasks = 0, runs = 0;
  for (size_t l = 0; l < net.layers.size(); ++l)
    for (size_t m = l; m < net.layers.size(); ++m) {
      const PairCounts pairs = Count(net, l, m);
      const Cut cut = CutOf(pairs);
      room.Raise(cut);
      tasks += cut.tasks;
      runs += pairs.left_runs + pairs.right_runs;
    }
  const size_t scratch = count > 0 ? room.PerWorker() * static_cast<size_t>(threads) : 0;
  return TangentRows<T>::EstimateBytes(net, count) + BytesOf<T>(scratch) + BytesOf<Task>(tasks) +
         BytesOf<PairRun>(runs);
}

template <typename T>
void GramBuilder<T>::MakeTasks() {
  std::vector<Block> blocks;
  std::vector<Task> tasks;
  Room room;
  for (size_t l = 0; l < net_.layers.size(); ++l)
    for (size_t m = l; m < net_.layers.size(); ++m) blocks.push_back(MakeBlock(l, m));
  size_t count = 0;
  for (const Block& block : blocks) count += CutOf(Count(net_, block.layer, block.other)).tasks;
  tasks.reserve(count);
  for (size_t b = 0; b < blocks.size(); ++b) {
    const PairCounts pairs = Count(net_, blocks[b].layer, blocks[b].other);
    const Cut cut = CutOf(pairs);
    room.Raise(cut);
    for (size_t i = 0; i < pairs.left; i += cut.left_part)
      for (size_t j = 0; j < pairs.right; j += cut.right_part)
        tasks.push_back({b, i, std::min(i + cut.left_part, pairs.left), j,
                         std::min(j + cut.right_part, pairs.right)});
  }
  // Large tasks first, so that the threads end together.
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
    return (a.left_end - a.left_begin) * (a.right_end - a.right_begin) >
           (b.left_end - b.left_begin) * (b.right_end - b.right_begin);
  });
  // Nothing throws from here on: a list that ended early would make a wrong matrix at the next
  // call.
  blocks_.swap(blocks);
  tasks_.swap(tasks);
  room_ = room;
}

template <typename T>
Status GramBuilder<T>::Add(const Tangents& tangents, bool first, const Cancel& cancel,
                           SymmetricMatrixOf<T>* g) {
  if (tasks_.empty()) MakeTasks();
  const size_t line_room = Room::Line(), per_worker = room_.PerWorker();
  const size_t total = per_worker * static_cast<size_t>(threads_);
  if (!scratch_.Reserve(total)) return Status::Memory(total * sizeof(T));
  const Status status = rows_.Fill(tangents, cancel);
  if (!status.ok()) return status;
  if (first && net_.output_size > 1) {
    // Pairs of different units of the last layer have no task.
    const size_t begin = net_.layers.back().weight_offset;
    for (size_t j = begin; j < g->n(); ++j)
      std::fill_n(g->upper() + j * g->n() + begin, j - begin + 1, T(0));
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
                             SymmetricMatrixOf<T>* g) const {
  const Layer& layer = net_.layers[block.layer];
  const Layer& other = net_.layers[block.other];
  const size_t n = g->n(), height = RoundUp(PairCount(right), TangentRows<T>::kLanes);
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
        T* column = g->upper() + position(other, p, run.second) * n;
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
        T* column = g->upper() + position(layer, p, k) * n;
        for (size_t r = behind; r < right.size(); ++r) {
          const PairRun& run = right[r];
          if (k < run.first || k >= run.first + run.length) continue;
          const T* value = values + run.begin + (k - run.first);
          // The bias of unit o stands behind the weights of unit p.
          if (run.second == layer.inputs) {
            put(value, 1, g->upper() + (layer.bias_offset + o) * n + position(layer, p, k));
          } else {
            put(value, 1, column + position(layer, o, run.second));
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

template <typename T>
size_t GramBuilder<T>::bytes() const {
  size_t total = rows_.bytes() + scratch_.bytes() + tasks_.capacity() * sizeof(Task);
  for (const Block& block : blocks_)
    total += (block.left.capacity() + block.right.capacity()) * sizeof(PairRun);
  return total;
}

template class GramBuilder<double>;
template class GramBuilder<float>;

}  // namespace gaussflow
