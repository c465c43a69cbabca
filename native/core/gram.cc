#include "gram.h"

#include <algorithm>

#include "blas.h"
#include "simd.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = 256;   // most pairs of one kind in a task
constexpr size_t kChunk = 256;  // samples whose pair vectors are made at a time

GAUSSFLOW_CLONES
void Multiply(size_t n, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

GAUSSFLOW_CLONES
void MultiplyScaled(size_t n, double scale, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = scale * (a[i] * b[i]);
}

GAUSSFLOW_CLONES
void MultiplyAdd(size_t n, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] += a[i] * b[i];
}

// Splits `count` into equal parts of at most kTile, multiples of 8 but the last.
size_t PartSize(size_t count) {
  const size_t parts = (count + kTile - 1) / kTile;
  return ((count + parts - 1) / parts + 7) / 8 * 8;
}

}  // namespace

void GramBuilder::MakeTasks() {
  const size_t depth = net_.layers.size();
  for (size_t l = 0; l < depth; ++l) {
    for (size_t m = l; m < depth; ++m) {
      Block block{l, m, {}, {}};
      const int32_t lefts = static_cast<int32_t>(net_.layers[l].outputs);
      const int32_t others = static_cast<int32_t>(net_.layers[m].outputs);
      if (l == m && l + 1 == depth) {
        // Output a reaches only unit a of the last layer: pairs of different units vanish.
        for (int32_t o = 0; o < lefts; ++o) block.left.push_back({o, o});
      } else if (l == m) {
        for (int32_t p = 0; p < lefts; ++p)
          for (int32_t o = 0; o <= p; ++o) block.left.push_back({o, p});
      } else {
        for (int32_t p = 0; p < others; ++p)
          for (int32_t o = 0; o < lefts; ++o) block.left.push_back({o, p});
      }
      const int32_t rights = static_cast<int32_t>(net_.layers[l].right_size());
      const int32_t other_rights = static_cast<int32_t>(net_.layers[m].right_size());
      // The first index runs fastest: neighbours in the product are then neighbours in a column of
      // G.
      for (int32_t q = 0; q < other_rights; ++q)
        for (int32_t k = 0; k < (l == m ? q + 1 : rights); ++k) block.right.push_back({k, q});
      blocks_.push_back(std::move(block));
    }
  }
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const size_t lefts = blocks_[b].left.size(), rights = blocks_[b].right.size();
    const size_t left_part = PartSize(lefts), right_part = PartSize(rights);
    for (size_t i = 0; i < lefts; i += left_part)
      for (size_t j = 0; j < rights; j += right_part)
        tasks_.push_back(
            {b, i, std::min(i + left_part, lefts), j, std::min(j + right_part, rights)});
  }
  // Large tasks first, so that the threads end together.
  std::stable_sort(tasks_.begin(), tasks_.end(), [](const Task& a, const Task& b) {
    return (a.left_end - a.left_begin) * (a.right_end - a.right_begin) >
           (b.left_end - b.left_begin) * (b.right_end - b.right_begin);
  });
}

Status GramBuilder::Add(const Tangents& tangents, bool first, const Cancel& cancel,
                        SymmetricMatrix* g) {
  if (tasks_.empty()) MakeTasks();
  const size_t per_worker = 2 * kTile * kChunk + kTile * kTile;
  const size_t total = per_worker * static_cast<size_t>(threads_);
  if (!scratch_.Reserve(total)) return Status::Memory(total * sizeof(double));
  if (first && net_.output_size > 1) {
    // Pairs of different units of the last layer have no task.
    const Layer& last = net_.layers.back();
    const size_t begin = last.weight_offset;
    for (size_t j = begin; j < g->n(); ++j)
      std::fill_n(g->upper() + j * g->n() + begin, j - begin + 1, 0.0);
  }
  const size_t samples = tangents.count();
  const bool done =
      ThreadPool::Instance().Run(threads_, tasks_.size(), cancel, [&](size_t index, int worker) {
        const Task& task = tasks_[index];
        double* left = scratch_.data() + static_cast<size_t>(worker) * per_worker;
        double* right = left + kTile * kChunk;
        double* values = right + kTile * kChunk;  // [left][right]
        const size_t rows = task.right_end - task.right_begin;
        const size_t columns = task.left_end - task.left_begin;
        for (size_t s0 = 0; s0 < samples; s0 += kChunk) {
          const size_t size = std::min(kChunk, samples - s0);
          FormLeft(tangents, task, s0, size, left);
          FormRight(tangents, task, s0, size, right);
          blas::Gemm('T', 'N', rows, columns, size, 1.0, right, kChunk, left, kChunk,
                     s0 == 0 ? 0.0 : 1.0, values, rows);
        }
        Scatter(task, values, first, g);
      });
  return done ? Status::Ok() : Status::Cancelled();
}

void GramBuilder::FormLeft(const Tangents& t, const Task& task, size_t s0, size_t size,
                           double* out) const {
  const Block& block = blocks_[task.block];
  const size_t last = net_.layers.size() - 1;
  for (size_t index = task.left_begin; index < task.left_end; ++index, out += kChunk) {
    const size_t o = static_cast<size_t>(block.left[index].first);
    const size_t p = static_cast<size_t>(block.left[index].second);
    if (block.other == last) {
      // Only output p reaches unit p of the last layer.
      const double* a = t.Delta(block.layer, p).row(block.layer == last ? 0 : o) + s0;
      Multiply(size, a, t.Delta(last, p).data + s0, out);
      continue;
    }
    Multiply(size, t.Delta(block.layer, 0).row(o) + s0, t.Delta(block.other, 0).row(p) + s0, out);
    for (size_t a = 1; a < net_.output_size; ++a)
      MultiplyAdd(size, t.Delta(block.layer, a).row(o) + s0, t.Delta(block.other, a).row(p) + s0,
                  out);
  }
}

void GramBuilder::FormRight(const Tangents& t, const Task& task, size_t s0, size_t size,
                            double* out) const {
  const Block& block = blocks_[task.block];
  const Layer& layer = net_.layers[block.layer];
  const Layer& other = net_.layers[block.other];
  const Panel h = t.Input(block.layer), g = t.Input(block.other);
  for (size_t index = task.right_begin; index < task.right_end; ++index, out += kChunk) {
    const size_t k = static_cast<size_t>(block.right[index].first);
    const size_t q = static_cast<size_t>(block.right[index].second);
    const bool first_is_bias = k == layer.inputs, second_is_bias = q == other.inputs;
    if (first_is_bias && second_is_bias) {
      std::fill_n(out, size, 1.0);
    } else if (first_is_bias || second_is_bias) {
      const double* from = (first_is_bias ? g.row(q) : h.row(k)) + s0;
      const double factor = first_is_bias ? other.factor : layer.factor;
      for (size_t i = 0; i < size; ++i) out[i] = factor * from[i];
    } else {
      MultiplyScaled(size, layer.factor * other.factor, h.row(k) + s0, g.row(q) + s0, out);
    }
  }
}

void GramBuilder::Scatter(const Task& task, const double* values, bool overwrite,
                          SymmetricMatrix* g) const {
  const Block& block = blocks_[task.block];
  const Layer& layer = net_.layers[block.layer];
  const Layer& other = net_.layers[block.other];
  const size_t n = g->n();
  double* upper = g->upper();
  const auto position = [](const Layer& at, size_t unit, size_t input) {
    return input == at.inputs ? at.bias_offset + unit : at.weight_offset + unit * at.inputs + input;
  };
  // The bias of a layer stands behind all its weights, so (o,k) may stand behind (p,q) although o
  // <= p.
  const auto put = [&](size_t i, size_t j, double value) {
    double* to = i <= j ? upper + j * n + i : upper + i * n + j;
    *to = overwrite ? value : *to + value;
  };
  for (size_t index = task.left_begin; index < task.left_end; ++index) {
    const size_t o = static_cast<size_t>(block.left[index].first);
    const size_t p = static_cast<size_t>(block.left[index].second);
    for (size_t pair = task.right_begin; pair < task.right_end; ++pair) {
      const size_t k = static_cast<size_t>(block.right[pair].first);
      const size_t q = static_cast<size_t>(block.right[pair].second);
      const double value = *values++;
      put(position(layer, o, k), position(other, p, q), value);
      // Inside a layer (o,q) with (p,k) has the same value; it is another entry unless o = p or k =
      // q.
      if (block.layer == block.other && o != p && k != q)
        put(position(layer, o, q), position(layer, p, k), value);
    }
  }
}

size_t GramBuilder::bytes() const {
  size_t total = scratch_.bytes() + tasks_.capacity() * sizeof(Task);
  for (const Block& block : blocks_)
    total += (block.left.capacity() + block.right.capacity()) * sizeof(Pair);
  return total;
}

}  // namespace gaussflow
