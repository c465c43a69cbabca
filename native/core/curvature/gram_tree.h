// Joins the slot sums of a Gram matrix (slots.h), for gram.h and, in float, single_gram.h. Each
// slot's is formed in the upper triangle of the matrix, which holds the whole sum after the last
// slot. Of the log2 S partial sums that wait the lowest is kept in the lower triangle, where the
// factor will be, so that two slots take no memory; the others are packed. The sum goes to other
// ranks and back in packed parts of whole columns, a few megabytes each.
#ifndef GAUSSFLOW_CORE_CURVATURE_GRAM_TREE_H_
#define GAUSSFLOW_CORE_CURVATURE_GRAM_TREE_H_

#include <cstddef>

#include "buffer.h"
#include "ranks.h"
#include "slots.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "thread_pool.h"

namespace gaussflow {

template <typename T>
class GramTreeOf {
 public:
  // Room for the sums of a matrix of order n over these slots, and under ranks for a part of it.
  Status Reserve(const SlotCut& slots, const Ranks& ranks, size_t n);
  // After each slot, in order. The next one overwrites the upper triangle.
  Status Close(size_t slot, int threads, const Cancel& cancel, SymmetricMatrixOf<T>* g);
  // The sum of the slots here becomes that of all ranks; right behind an agreement.
  Status JoinRanks(const Ranks& ranks, SymmetricMatrixOf<T>* g);
  void Release() {
    packed_.Release();
    part_.Release();
  }
  size_t bytes() const { return packed_.bytes() + part_.bytes(); }
  // Numbers of the packed sums and of the part.
  static size_t Count(const SlotCut& slots, bool ranked, size_t n);

 private:
  static size_t PartCount(size_t n);
  // Column j of the partial sum of a level: j + 1 numbers.
  T* Column(size_t level, size_t j, SymmetricMatrixOf<T>* g);

  size_t slots_ = 1;
  BufferOf<T> packed_;  // [level - 1][column][row]
  BufferOf<T> part_;
};

using GramTree = GramTreeOf<double>;

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_GRAM_TREE_H_
