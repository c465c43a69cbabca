// Copies the samples of a subset while the pass over all samples has their block loaded, and then
// runs passes over the copy. Two classes hold one each and fill it at every linearization that uses
// a subset: GramOperator (operator.h, the matrix-free route) and SingleCurvature
// (single_curvature.h, the base of SingleGram and SampleRows, the primal route in single
// precision).
#ifndef GAUSSFLOW_CORE_CURVATURE_SUBSET_H_
#define GAUSSFLOW_CORE_CURVATURE_SUBSET_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "curvature/curvature.h"

namespace gaussflow {

class Subset {
 public:
  explicit Subset(const Context& context)
      : context_(context), tangents_(context.net, data_, context.threads) {}

  // Makes room for the samples of `indices` (ascending), which live until the last AddBlock.
  // `scaling` (p, or null): what RaiseScaling will be given.
  Status Begin(const std::vector<uint32_t>& indices, const double* scaling);
  // Copies those of a block of all samples.
  Status AddBlock(const Block& block, const Cancel& cancel);
  // After the last block: squares (p) += diag J~^T J~ of the subset, and add(tangents, first) for
  // every block of it.
  using Add = std::function<Status(Tangents& tangents, bool first)>;
  Status ForEachBlock(const Cancel& cancel, double* squares, const Add& add);
  // Raises a fresh scaling (one with an entry of 0) to diag J~^T J~ of all samples, because a
  // parameter on which the subset does not depend would otherwise keep the scale 1.
  Status RaiseScaling(double* scaling);

  const Dataset& data() const { return data_; }
  size_t bytes() const { return data_.bytes() + tangents_.bytes(); }
  static double EstimateBytes(const Sizes& sizes);

 private:
  const Context context_;
  Dataset data_;
  Tangents tangents_;
  const std::vector<uint32_t>* indices_ = nullptr;
  size_t taken_ = 0;
  std::vector<double> every_;  // diag J~^T J~ of all samples where a fresh scaling asks for it
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SUBSET_H_
