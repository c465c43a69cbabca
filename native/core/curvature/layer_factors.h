// Computes the factors of the layer-wise Kronecker approximation G_l ~ B_l (x) A_l of the curvature
// (Martens and Grosse 2015): A_l = mean of h h^T over the samples, with the constant of the bias
// last, B_l = sum of delta delta^T over samples and outputs. operator.cc calls it when the addon's
// layerFactors is called, for the Kronecker preconditioner of the matrix-free route. The squares
// are stored one after the other, A and B of the first layer first.
#ifndef GAUSSFLOW_CORE_CURVATURE_LAYER_FACTORS_H_
#define GAUSSFLOW_CORE_CURVATURE_LAYER_FACTORS_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "status.h"
#include "tangents.h"

namespace gaussflow {

size_t LayerFactorsSize(const Architecture& net);

class LayerFactorSums {
 public:
  // Zeros in `out`, which holds LayerFactorsSize numbers. A of the first layer stays so where
  // `first_inputs` is false.
  LayerFactorSums(const Architecture& net, size_t samples, bool first_inputs, double* out);

  // Adds the block in `tangents`.
  Status Add(const Tangents& tangents, int threads, const Cancel& cancel) const;
  // Once all blocks are added: sets the means of the biases' constants.
  void Finish() const;

 private:
  // Rows [first, first + count) of a factor.
  struct Task {
    size_t layer;
    bool deltas;  // of B, else of A
    size_t first, count;
  };

  void AddInputs(const Task& task, const Tangents& tangents) const;
  void AddDeltas(const Task& task, const Tangents& tangents) const;

  const Architecture& net_;
  const double samples_;
  std::vector<double*> inputs_, deltas_;  // A_l and B_l
  std::vector<Task> tasks_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_LAYER_FACTORS_H_
