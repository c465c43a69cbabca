// Implements the cut of samples into slots and the tree that joins the sums of slots (slots.h).
#include "slots.h"

#include <algorithm>

#include "thread_pool.h"
#include "vectors.h"

namespace gaussflow {

size_t SlotCut::Largest() const {
  if (share_.count == share_.all) return (total_ + share_.all - 1) / share_.all;
  size_t largest = 0;
  for (size_t slot = 0; slot < share_.count; ++slot) largest = std::max(largest, At(slot).count);
  return largest;
}

size_t SlotCut::levels() const {
  size_t levels = 0;
  for (size_t k = share_.count; k > 1; k /= 2) ++levels;
  return levels;
}

SampleRange SlotCut::BlockAt(size_t first, size_t most) const {
  return {first, std::min(most, At(Of(first)).end() - first)};
}

void CutTiles(const SlotCut& slots, SampleRange range, size_t most, std::vector<Tile>* tiles) {
  tiles->clear();
  tiles->reserve(TileCount(slots, range, most));
  for (size_t first = range.first; first < range.end();) {
    const size_t end = slots.BlockAt(first, range.end() - first).end();
    const bool alone = end - first <= most;
    for (; first < end; first += tiles->back().count)
      tiles->push_back({first, std::min(most, end - first), alone});
  }
}

size_t TileCount(const SlotCut& slots, SampleRange range, size_t most) {
  size_t count = 0;
  for (size_t first = range.first; first < range.end();) {
    const SampleRange block = slots.BlockAt(first, range.end() - first);
    count += Parts(block.count, most);
    first = block.end();
  }
  return count;
}

Status SlotTree::Reserve(const SlotCut& slots, size_t length, int threads) {
  slots_ = slots.count();
  length_ = length;
  threads_ = threads;
  const size_t count = Count(slots, length);
  return pending_.Reserve(count) ? Status::Ok() : Status::Memory(count * sizeof(double));
}

void SlotTree::Close(size_t slot, double* sum) {
  if (slots_ == 1) return;
  const size_t joins = JoinsAfter(slot);
  const bool last = slot + 1 == slots_;
  ForEachPart(length_, threads_, [&](size_t, size_t first, size_t end) {
    for (size_t level = 0; level < joins; ++level) {
      const double* before = pending_.data() + level * length_;
      for (size_t j = first; j < end; ++j) sum[j] = before[j] + sum[j];
    }
    if (last) return;
    std::copy(sum + first, sum + end, pending_.data() + joins * length_ + first);
    std::fill(sum + first, sum + end, 0.0);
  });
}

}  // namespace gaussflow
