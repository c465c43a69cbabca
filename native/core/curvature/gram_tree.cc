// Implements the tree that joins the Gram matrices of slots (gram_tree.h).
#include "curvature/gram_tree.h"

#include <algorithm>

namespace gaussflow {

namespace {

constexpr size_t kColumns = 32;  // of a task
// Bytes of a part that goes to other ranks, unless a column is longer.
constexpr size_t kPartBytes = 4 << 20;

size_t PackedCount(size_t n) { return SymmetricMatrix::Count(n) / 2; }

// The parts of other ranks are joined as slots are, in the type of the matrix.
Status JoinPart(const Ranks& ranks, double* part, size_t count) {
  return ranks.SumPart(part, count);
}
Status JoinPart(const Ranks& ranks, float* part, size_t count) {
  const auto add = [](void* user, void* left, void* right) {
    const size_t numbers = *static_cast<const size_t*>(user);
    float* sum = static_cast<float*>(left);
    const float* after = static_cast<const float*>(right);
    for (size_t i = 0; i < numbers; ++i) sum[i] = sum[i] + after[i];
  };
  return ranks.JoinPart(part, count * sizeof(float), add, &count);
}

}  // namespace

template <typename T>
size_t GramTreeOf<T>::PartCount(size_t n) {
  return std::min(PackedCount(n), std::max(n, kPartBytes / sizeof(T)));
}

template <typename T>
size_t GramTreeOf<T>::Count(const SlotCut& slots, bool ranked, size_t n) {
  const size_t levels = slots.levels(), part = ranked ? PartCount(n) : 0;
  return levels < 2 ? part : Times(levels - 1, PackedCount(n)) + part;
}

template <typename T>
Status GramTreeOf<T>::Reserve(const SlotCut& slots, const Ranks& ranks, size_t n) {
  slots_ = slots.count();
  const size_t part = ranks.alone() ? 0 : PartCount(n), count = Count(slots, false, n);
  if (!packed_.Reserve(count)) return Status::Memory(count * sizeof(T));
  return part_.Reserve(part) ? Status::Ok() : Status::Memory(part * sizeof(T));
}

template <typename T>
T* GramTreeOf<T>::Column(size_t level, size_t j, SymmetricMatrixOf<T>* g) {
  const size_t n = g->n();
  if (level > 0) return packed_.data() + (level - 1) * PackedCount(n) + PackedCount(j);
  // Column n - 1 - j of the lower triangle is as long: the triangle is filled from its other end,
  // so that both columns are contiguous.
  return g->lower() + (n - 1 - j) * (n + 1);
}

template <typename T>
Status GramTreeOf<T>::Close(size_t slot, int threads, const Cancel& cancel,
                            SymmetricMatrixOf<T>* g) {
  if (slots_ == 1) return Status::Ok();
  const size_t n = g->n(), joins = JoinsAfter(slot);
  const bool last = slot + 1 == slots_;
  const bool done =
      ThreadPool::Instance().Run(threads, Parts(n, kColumns), cancel, [&](size_t task, int) {
        for (size_t j = task * kColumns; j < std::min(n, (task + 1) * kColumns); ++j) {
          T* sum = g->upper() + j * n;
          for (size_t level = 0; level < joins; ++level) {
            const T* before = Column(level, j, g);
            for (size_t i = 0; i <= j; ++i) sum[i] = before[i] + sum[i];
          }
          if (!last) std::copy_n(sum, j + 1, Column(joins, j, g));
        }
      });
  return done ? Status::Ok() : Status::Canceled();
}

template <typename T>
Status GramTreeOf<T>::JoinRanks(const Ranks& ranks, SymmetricMatrixOf<T>* g) {
  const size_t n = g->n(), room = PartCount(n);
  for (size_t first = 0, end = 0; first < n; first = end) {
    size_t count = 0;
    for (; end < n && count + end + 1 <= room; ++end) {
      std::copy_n(g->upper() + end * n, end + 1, part_.data() + count);
      count += end + 1;
    }
    const Status status = JoinPart(ranks, part_.data(), count);
    if (!status.ok()) return status;
    count = 0;
    for (size_t j = first; j < end; ++j) {
      std::copy_n(part_.data() + count, j + 1, g->upper() + j * n);
      count += j + 1;
    }
  }
  return Status::Ok();
}

template class GramTreeOf<double>;
template class GramTreeOf<float>;

}  // namespace gaussflow
