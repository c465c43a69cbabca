// Implements the tree that joins the Gram matrices of slots (gram_tree.h).
#include "curvature/gram_tree.h"

#include <algorithm>

namespace gaussflow {

namespace {

constexpr size_t kColumns = 32;  // of a task

size_t PackedCount(size_t n) { return SymmetricMatrix::Count(n) / 2; }

}  // namespace

size_t GramTree::Count(const SlotCut& slots, size_t n) {
  const size_t levels = slots.levels();
  return levels < 2 ? 0 : Times(levels - 1, PackedCount(n));
}

Status GramTree::Reserve(const SlotCut& slots, size_t n) {
  slots_ = slots.count();
  const size_t count = Count(slots, n);
  return packed_.Reserve(count) ? Status::Ok() : Status::Memory(count * sizeof(double));
}

double* GramTree::Column(size_t level, size_t j, SymmetricMatrix* g) {
  const size_t n = g->n();
  if (level > 0) return packed_.data() + (level - 1) * PackedCount(n) + PackedCount(j);
  // Column n - 1 - j of the lower triangle is as long: the triangle is filled from its other end,
  // so that both columns are contiguous.
  return g->lower() + (n - 1 - j) * (n + 1);
}

Status GramTree::Close(size_t slot, int threads, const Cancel& cancel, SymmetricMatrix* g) {
  if (slots_ == 1) return Status::Ok();
  const size_t n = g->n(), joins = JoinsAfter(slot);
  const bool last = slot + 1 == slots_;
  const bool done =
      ThreadPool::Instance().Run(threads, Parts(n, kColumns), cancel, [&](size_t task, int) {
        for (size_t j = task * kColumns; j < std::min(n, (task + 1) * kColumns); ++j) {
          double* sum = g->upper() + j * n;
          for (size_t level = 0; level < joins; ++level) {
            const double* before = Column(level, j, g);
            for (size_t i = 0; i <= j; ++i) sum[i] = before[i] + sum[i];
          }
          if (!last) std::copy_n(sum, j + 1, Column(joins, j, g));
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

}  // namespace gaussflow
