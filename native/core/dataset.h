// Holds the data of an engine, one contiguous row per feature (or target) so that loops over
// samples are contiguous: a copy of all samples, or a window of the samples of a file, read and
// scaled when a block of them is needed. Engine owns one for all samples, and curvature/subset.h
// another for those of a subset; passes and products read it block by block. The binding fills it
// in pieces by Reserve or ReserveFile and then Fill and FillWeights (sample weights are in memory
// in both cases), and may fill samples in memory again: those of the next batch. Set fills
// everything in one call, for the native tests alone.
//
// Where other processes share the samples it holds those of its own slots, which are counted from
// the first of them here and everywhere else in the engine.
#ifndef GAUSSFLOW_CORE_DATASET_H_
#define GAUSSFLOW_CORE_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "buffer.h"
#include "ranks.h"
#include "row_file.h"
#include "sizes.h"
#include "slots.h"
#include "status.h"

namespace gaussflow {

// Where the samples of a file stand, and z = (x - offset) / scale of its columns (inputs, then
// targets; what follows them in a row is not read).
struct FileLayout {
  std::string path;
  uint64_t offset = 0;
  FileVersion version;
  size_t width = 0;
  std::vector<double> column_offset;
  std::vector<double> column_scale;
};

class Dataset {
 public:
  // `share`: a power of two of slots, at most the samples that it is given room for.
  explicit Dataset(const SlotShare& share = 1, const Ranks& ranks = {})
      : share_(share), ranks_(ranks) {}

  // Makes room for its share of n samples of d inputs and c targets. Fill, and FillWeights where
  // they are weighted, give them: in as many pieces as the caller likes, so that none takes long.
  Status Reserve(size_t n, size_t d, size_t c, bool weighted);
  // Its share of the n samples of a file: only their weights are to be filled in. kFile where it
  // cannot be opened or is of another version.
  Status ReserveFile(size_t n, size_t d, size_t c, const FileLayout& layout, bool weighted);
  // Writes to the next pages of that room, some kTouched bytes; false once it has been to all. The
  // system makes a page when it is first written to, and the first row is in as many pages as there
  // are columns: seconds at once in a wide table of a million rows.
  bool TouchPages();
  // Samples [first, first + count): `in` count x d and `out` count x c, row-major. Their old values
  // are gone.
  void Fill(size_t first, size_t count, const double* in, const double* out);
  void FillWeights(size_t first, size_t count, const double* weights);
  // All of that at once; `weights` n or null.
  Status Set(size_t n, size_t d, size_t c, const double* in, const double* out,
             const double* weights);

  // Makes room for `count` of the samples of `from`, which stand for all of them: each weighs
  // n / count times its own weight. Take fills it.
  Status ReserveSubset(const Dataset& from, size_t count);
  // Copies the samples `indices` of `from`, which has them loaded, to the places from `at` on.
  void Take(const Dataset& from, const uint32_t* indices, size_t count, size_t at);

  // Makes samples [first, first + count) readable by Inputs and Targets. Nothing to do in memory.
  // kFile where the file is not of its version any more, or holds a number that is not finite, with
  // the number of the row in the file.
  Status Load(size_t first, size_t count) const;
  // Inputs [input][sample] and targets [target][sample] from sample `first` on, rows stride()
  // apart.
  const double* Inputs(size_t first) const { return inputs_.data() + (first - begin_); }
  const double* Targets(size_t target, size_t first) const {
    return targets_.data() + target * window_ + (first - begin_);
  }
  size_t stride() const { return window_; }
  // Inputs of samples [first, first + count), row-major, as they are computed with.
  Status CopyInputs(size_t first, size_t count, double* out) const;
  bool from_file() const { return file_.is_open(); }

  // How sums over the samples are cut.
  SlotCut slots() const { return {total_, share_}; }
  // What joins them with those of other processes.
  const Ranks& ranks() const { return ranks_; }

  // sqrt of the sample weights, or null when all are 1.
  const double* root_weight() const {
    return root_weights_.size() > 0 ? root_weights_.data() : nullptr;
  }
  size_t bytes() const {
    return inputs_.bytes() + targets_.bytes() + root_weights_.bytes() + rows_.bytes();
  }
  // bytes() of the samples of an engine; `window`: the most that are loaded from a file at a time.
  static double EstimateBytes(const Sizes& sizes, size_t window);
  // bytes() of a copy of `count` samples that stand for all.
  static double EstimateSubsetBytes(const Architecture& net, size_t count);

  size_t sample_count = 0;

 private:
  // Numbers in each buffer.
  struct Counts {
    size_t inputs, targets, rows, weights;
    double bytes() const { return BytesOf<double>(inputs + targets + rows + weights); }
  };
  // Of `count` samples in memory, and of a window of `count` samples of a file.
  static Counts CountsOf(size_t count, size_t d, size_t c, bool weighted);
  static Counts WindowCounts(size_t count, size_t d, size_t c, size_t width);
  // Makes room for inputs, targets and rows; const, because the window of a file is a cache.
  Status Grow(const Counts& counts) const;
  Status GrowWeights(size_t count);

  // The share of n samples that is here.
  void TakeShare(size_t n) {
    total_ = n;
    sample_count = slots().samples();
  }

  const SlotShare share_;
  const Ranks ranks_;
  size_t total_ = 0;    // samples of all processes
  size_t touched_ = 0;  // doubles that TouchPages has passed
  size_t input_size_ = 0;
  size_t target_size_ = 0;
  RowFile file_;
  FileLayout layout_;
  // The window is a cache of the file: loading it changes nothing that a reader can see.
  mutable Buffer inputs_;
  mutable Buffer targets_;
  mutable Buffer rows_;  // as they stand in the file
  mutable size_t begin_ = 0;
  mutable size_t window_ = 0;
  Buffer root_weights_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_DATASET_H_
