// Joins the triangles of slots (slots.h) for triangle.h: R of the rows of two slots is that of
// their triangles, one above the other. The joins are those of the tree by which sums are joined,
// in the same order, and go on between ranks (ranks.h); the partial triangles are packed.
#ifndef GAUSSFLOW_CORE_CURVATURE_TRIANGLE_TREE_H_
#define GAUSSFLOW_CORE_CURVATURE_TRIANGLE_TREE_H_

#include <cstddef>

#include "buffer.h"
#include "curvature/orthogonal_system.h"
#include "ranks.h"
#include "slots.h"
#include "status.h"

namespace gaussflow {

class TriangleTree {
 public:
  // Room for the triangles of p parameters over these slots.
  Status Reserve(const SlotCut& slots, bool ranked, size_t p);
  // After each slot, in order: the system holds its triangle, then an empty one for the next, or,
  // after the last, that of all slots here.
  Status Close(size_t slot, const Cancel& cancel, OrthogonalSystem* system);
  // The triangle of the slots here becomes that of all ranks; right behind an agreement.
  Status JoinRanks(const Ranks& ranks, OrthogonalSystem* system);
  size_t bytes() const { return packed_.bytes(); }
  // Numbers of the packed triangles.
  static size_t Count(const SlotCut& slots, bool ranked, size_t p);
  // Rows that a block needs room for.
  static size_t Rows(const SlotCut& slots, bool ranked, size_t p) {
    return Count(slots, ranked, p) > 0 ? p + 1 : 0;
  }

 private:
  size_t slots_ = 1;
  Buffer packed_;  // [level][column][row]; under ranks the first is what goes to others
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_TRIANGLE_TREE_H_
