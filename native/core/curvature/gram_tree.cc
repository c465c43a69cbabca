// Implements the tree that joins the Gram matrices of slots (gram_tree.h).
#include "curvature/gram_tree.h"

#include <algorithm>

namespace gaussflow {

namespace {

constexpr size_t kColumns = 32;  // of a task
// Numbers of a part that goes to other ranks, 4 MiB, or one column.
constexpr size_t kPart = 1 << 19;

size_t PackedCount(size_t n) { return SymmetricMatrix::Count(n) / 2; }

}  // namespace

size_t GramTree::PartCount(size_t n) { return std::min(PackedCount(n), std::max(n, kPart)); }

size_t GramTree::Count(const SlotCut& slots, bool ranked, size_t n) {
  const size_t levels = slots.levels(), part = ranked ? PartCount(n) : 0;
  return levels < 2 ? part : Times(levels - 1, PackedCount(n)) + part;
}

Status GramTree::Reserve(const SlotCut& slots, const Ranks& ranks, size_t n) {
  slots_ = slots.count();
  const size_t part = ranks.alone() ? 0 : PartCount(n), count = Count(slots, false, n);
  if (!packed_.Reserve(count)) return Status::Memory(count * sizeof(double));
  return part_.Reserve(part) ? Status::Ok() : Status::Memory(part * sizeof(double));
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

Status GramTree::JoinRanks(const Ranks& ranks, SymmetricMatrix* g) {
  const size_t n = g->n(), room = PartCount(n);
  for (size_t first = 0, end = 0; first < n; first = end) {
    size_t count = 0;
    for (; end < n && count + end + 1 <= room; ++end) {
      std::copy_n(g->upper() + end * n, end + 1, part_.data() + count);
      count += end + 1;
    }
    const Status status = ranks.SumPart(part_.data(), count);
    if (!status.ok()) return status;
    count = 0;
    for (size_t j = first; j < end; ++j) {
      std::copy_n(part_.data() + count, j + 1, g->upper() + j * n);
      count += j + 1;
    }
  }
  return Status::Ok();
}

}  // namespace gaussflow
