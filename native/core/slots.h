// Cuts the samples into slots and tiles, and joins the sums of the slots. Every native sum over
// samples uses it: loss and gradient (engine.cc), the Gram matrix (curvature/gram_tree.h), the
// other curvatures (SumOverSamples of curvature/curvature.h, curvature/operator.h) and the
// matrix-free products (products.h). The memory estimates use its counts.
//
// There are S contiguous slots whose sizes differ by one sample at most, S a power of two; inside a
// slot blocks are added in order, and the S slot sums are joined by one fixed binary tree, ((s0 +
// s1) + (s2 + s3)) + ... . The bits of a sum therefore depend on S and never on which thread adds
// which slot. With S = 1 the sum is the plain one: nothing is added, copied or reserved.
//
// Other processes may sum a part of the slots (SlotShare). Then the samples and slots of everything
// here are those of this process, counted from its first, and ranks.h joins the sums of the
// processes by the upper part of the same tree.
#ifndef GAUSSFLOW_CORE_SLOTS_H_
#define GAUSSFLOW_CORE_SLOTS_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "buffer.h"
#include "status.h"

namespace gaussflow {

struct SampleRange {
  size_t first;
  size_t count;
  size_t end() const { return first + count; }
};

// The slots that a process sums: `count` of `all`, from `first` on, an aligned subtree of the tree.
struct SlotShare {
  SlotShare(size_t slots = 1) : all(slots), count(slots) {}
  SlotShare(size_t slots, size_t first_slot, size_t slot_count)
      : all(slots), first(first_slot), count(slot_count) {}

  size_t all;
  size_t first = 0;
  size_t count;
};

// How `total` samples are cut into slots, of which a share is here: slot k of all begins at sample
// floor(k total / all).
class SlotCut {
 public:
  static constexpr size_t kMost = 1024;  // MOST_SLOTS of src/backend/slots.ts

  SlotCut(size_t total, const SlotShare& share) : total_(total), share_(share) {
    begin_ = Begin(share.first);
    samples_ = Begin(share.first + share.count) - begin_;
  }

  size_t samples() const { return samples_; }
  size_t count() const { return share_.count; }
  // Samples and slots of all processes, and the one of these samples that is the first here.
  size_t total() const { return total_; }
  size_t all() const { return share_.all; }
  size_t begin() const { return begin_; }
  // Samples of the largest slot.
  size_t Largest() const;
  // Samples of the largest block of at most `most`; blocks that have room for all hold all slots.
  size_t LargestBlock(size_t most) const {
    return most >= samples_ ? samples_ : std::min(most, Largest());
  }
  // Depth of the tree: log2 of the slots, the most partial sums held at once.
  size_t levels() const;
  SampleRange At(size_t slot) const {
    const size_t first = Begin(share_.first + slot);
    return {first - begin_, Begin(share_.first + slot + 1) - first};
  }
  // The slot that a sample is in.
  size_t Of(size_t sample) const {
    return ((begin_ + sample + 1) * share_.all - 1) / total_ - share_.first;
  }
  // The block that begins at sample `first`: up to `most` samples of its slot.
  SampleRange BlockAt(size_t first, size_t most) const;

 private:
  size_t Begin(size_t slot) const { return slot * total_ / share_.all; }

  size_t total_;
  SlotShare share_;
  size_t begin_;
  size_t samples_;
};

// A tile of samples, which is one task of a pass. `alone`: its slot has no other in the range.
struct Tile {
  size_t first;
  size_t count;
  bool alone;
  size_t end() const { return first + count; }
};

// The tiles of at most `most` samples of a range; the first of a slot begins where the slot does.
// Their number is TileCount.
void CutTiles(const SlotCut& slots, SampleRange range, size_t most, std::vector<Tile>* tiles);

size_t TileCount(const SlotCut& slots, SampleRange range, size_t most);

// Joins of the tree that slot number `slot`, counted from 0, completes.
constexpr size_t JoinsAfter(size_t slot) {
  size_t joins = 0;
  for (size_t k = slot + 1; k % 2 == 0; k /= 2) ++joins;
  return joins;
}

// Joins the slot sums of a vector: each is added up in the caller's array, which holds the whole
// sum after the last slot. The partial sums not yet joined are a stack of at most log2 S vectors.
class SlotTree {
 public:
  // Room for sums of `length` numbers over these slots.
  Status Reserve(const SlotCut& slots, size_t length, int threads);
  // After each slot, in order: `sum` holds the sum of the slot, then zeros for the next one, or,
  // after the last, the sum of all.
  void Close(size_t slot, double* sum);
  void Release() { pending_.Release(); }
  size_t bytes() const { return pending_.bytes(); }
  // Numbers of the sums not yet joined.
  static size_t Count(const SlotCut& slots, size_t length) { return Times(slots.levels(), length); }

 private:
  size_t slots_ = 1;
  size_t length_ = 0;
  int threads_ = 1;
  Buffer pending_;  // [level][length]
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_SLOTS_H_
