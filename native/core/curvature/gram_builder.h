// Forms the Gram matrix G = J^T J of the primal route without J, for gram.h and single_gram.h
// (docs/architecture.md).
//
// For parameters (o,k) of layer l and (p,q) of layer m, the first index the unit and the second
// the input (or the bias),
//   G = sum_i ( sum_a delta_o^(i,a) delta'_p^(i,a) ) ( h_k^i h'_q^i ),
// a matrix product of "pair" vectors: left pairs (o,p) by right pairs (k,q). Inside one layer both
// kinds are symmetric, so only o <= p and k <= q are needed: half of the flops of a rank-k update
// with J for one output, 1/(2c) of them for c outputs, because the sum over outputs comes first. A
// tile of that product is one task: it computes its pair vectors for a chunk of samples while they
// stay in cache, and no other task writes its entries of G.
//
// The pairs of one p (or q) are a run: their first indices are neighbors in a row of TangentRows,
// so a run is computed by one scaled copy a sample. In float the result is G scaled (see there).
#ifndef GAUSSFLOW_CORE_CURVATURE_GRAM_BUILDER_H_
#define GAUSSFLOW_CORE_CURVATURE_GRAM_BUILDER_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "curvature/tangent_rows.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "tangents.h"

namespace gaussflow {

// Pairs (first, second), (first + 1, second), ... of a row `from` of one layer and a row `by` of
// another: entry j of their vectors is
//   sum over t < terms of from[vector + t * vector_step + j] * by[scalar + t * scalar_step].
struct PairRun {
  size_t begin;  // place of the first pair among all of its kind
  size_t length;
  size_t first, second;
  size_t vector, vector_step;
  size_t scalar, scalar_step;
  size_t terms;
};

template <typename T>
class GramBuilder {
 public:
  GramBuilder(const Architecture& architecture, int threads)
      : net_(architecture), threads_(threads), rows_(architecture, threads) {}

  // In float: the scales T of all blocks from now on, from those in `tangents` (tangent_rows.h).
  void Measure(const Tangents& tangents) { rows_.Measure(tangents); }
  std::vector<double> scales() const { return rows_.scales(); }
  void set_scales(const std::vector<double>& scales) { rows_.set_scales(scales); }
  // Adds the samples in `tangents` to columns of the upper triangle of G, all of them or a group;
  // `first` overwrites instead.
  Status Add(const Tangents& tangents, bool first, const Cancel& cancel, const ColumnsOf<T>& g);

  // Columns that are formed together, ascending: whole units and whole layers' biases, so that no
  // product is made twice. As many as a rectangle of `room` numbers holds, at least one unit's.
  static std::vector<ColumnRange> Groups(const Architecture& net, size_t room);

  // T (p) of the scaled matrix T G T; all 1 in double.
  void Scales(double* scales) const;

  // Frees the rows and the scratch.
  void Release() {
    rows_.Release();
    scratch_.Release();
  }
  size_t bytes() const;
  // bytes() with blocks of `count` samples; 0 = after Release.
  static double EstimateBytes(const Architecture& net, int threads, size_t count) {
    return EstimateBytes(net, threads, count, {{0, net.parameter_count}});
  }
  // The same where the columns are formed group by group.
  static double EstimateBytes(const Architecture& net, int threads, size_t count,
                              const std::vector<ColumnRange>& groups);

 private:
  // Two layers l <= m and the runs of their left (delta) and right (h) pairs.
  struct Block {
    size_t layer;
    size_t other;
    std::vector<PairRun> left;
    std::vector<PairRun> right;
  };
  struct Task {
    size_t block;
    size_t left_begin, left_end;
    size_t right_begin, right_end;
  };

  // Pairs of a block, and runs of them.
  struct PairCounts {
    size_t left, right;
    size_t left_runs, right_runs;
  };
  // Pairs of a block: those of some columns.
  struct Piece {
    size_t left_begin, left_end;
    size_t right_begin, right_end;
  };
  // Numbers that the largest tasks need.
  struct Room {
    size_t left = 0, right = 0, values = 0;
    // The pairs of a few samples, and behind each a cache line that the last run may spill into.
    static size_t Line();
    size_t PerWorker() const { return Line() + left + right + values; }
    void Raise(size_t left_part, size_t right_part);
  };
  static PairCounts Count(const Architecture& net, size_t layer, size_t other);
  static std::vector<Piece> PiecesOf(const Architecture& net, ColumnRange columns, size_t layer,
                                     size_t other);
  // Number of the tasks that make these columns, which are appended to `tasks` where it is given.
  static size_t CutTasks(const Architecture& net, ColumnRange columns, Room* room,
                         std::vector<Task>* tasks);

  // The list of tasks; made on first use, since a network for the dual route has far too many
  // pairs. Where memory is refused there is none.
  void MakeTasks(ColumnRange columns);
  Block MakeBlock(size_t layer, size_t other) const;
  void Scatter(const Block& block, const std::vector<PairRun>& left,
               const std::vector<PairRun>& right, const T* values, bool overwrite,
               const ColumnsOf<T>& g) const;

  const Architecture& net_;
  int threads_;
  TangentRows<T> rows_;
  std::vector<Block> blocks_;
  std::vector<Task> tasks_;
  ColumnRange columns_ = {0, 0};  // that the tasks make
  Room room_;
  BufferOf<T> scratch_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_GRAM_BUILDER_H_
