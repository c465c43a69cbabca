// The primal Gram matrix G = J^T J without J, from the layer's hidden symmetry (method.md 3).
//
// For parameters (o,k) of layer l and (o',k') of layer l', o the unit and k the input (or the
// bias),
//   G = sum_i ( sum_a delta_o^(i,a) delta'_o'^(i,a) ) ( h_k^i h'_k'^i ),
// a matrix product of "pair" vectors: left pairs (o,o') by right pairs (k,k'). Inside one layer
// both kinds are symmetric, so only o <= o' and k <= k' are needed: half of the flops of a rank-k
// update with J for one output, 1/(2c) of them for c outputs since the sum over outputs comes
// first. A tile of that product is one task: it makes its pair vectors for a chunk of samples while
// they stay in cache, and no other task writes its entries of G.
#ifndef GAUSSFLOW_CORE_GRAM_H_
#define GAUSSFLOW_CORE_GRAM_H_

#include <cstdint>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "tangents.h"

namespace gaussflow {

class GramBuilder {
 public:
  GramBuilder(const Architecture& architecture, int threads)
      : net_(architecture), threads_(threads) {}

  // Adds the samples in `tangents` to the upper triangle of G; `first` overwrites instead.
  Status Add(const Tangents& tangents, bool first, const Cancel& cancel, SymmetricMatrix* g);

  size_t bytes() const;

 private:
  struct Pair {
    int32_t first;
    int32_t second;
  };
  // Two layers l <= l' and the pairs of their left (delta) and right (h) vectors.
  struct Block {
    size_t layer;
    size_t other;
    std::vector<Pair> left;
    std::vector<Pair> right;
  };
  struct Task {
    size_t block;
    size_t left_begin, left_end;
    size_t right_begin, right_end;
  };

  // The list of tasks; made on first use, since a network for the dual route has far too many
  // pairs.
  void MakeTasks();
  void FormLeft(const Tangents& t, const Task& task, size_t s0, size_t size, double* out) const;
  void FormRight(const Tangents& t, const Task& task, size_t s0, size_t size, double* out) const;
  void Scatter(const Task& task, const double* values, bool overwrite, SymmetricMatrix* g) const;

  const Architecture& net_;
  int threads_;
  std::vector<Block> blocks_;
  std::vector<Task> tasks_;
  Buffer scratch_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_GRAM_H_
