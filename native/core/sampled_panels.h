// Runs the passes of a linearization whose curvature has one row a sample (curvature/
// sampled_kernel.h): forward, and two rows a sample back, whatever the number of outputs. One is
// that of the gradient, the other is row i of the matrix B,
//   b_i = seed_i^T J_i,   seed_i = sqrt(s) R v_i with signs v_i, or given.
// It holds the panels of all samples, [unit][sample], and computes the gradient, products with B
// and B B^T from them. The tiles of the passes and the blocks of B B^T depend on sizes alone, and
// no sum crosses tasks but the loss, whose tiles are added in order: nothing depends on the number
// of threads.
#ifndef GAUSSFLOW_CORE_SAMPLED_PANELS_H_
#define GAUSSFLOW_CORE_SAMPLED_PANELS_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "dataset.h"
#include "sizes.h"
#include "status.h"
#include "sweep.h"
#include "symmetric_matrix.h"
#include "tangents.h"
#include "thread_pool.h"

namespace gaussflow {

// What B is made from: n x c numbers each, sample-major.
struct SampledSeeds {
  const double* signs = nullptr;     // v, or null, and then
  const double* rows = nullptr;      // the seeds,
  const double* gradient = nullptr;  // and what stands for the loss's gradient by the predictions
};

class SampledPanels {
 public:
  SampledPanels(const Architecture& architecture, const Dataset& data, int threads)
      : net_(architecture), data_(data), threads_(threads) {}

  // The passes over all samples; `loss`: the sum of the loss, in either case.
  Status Compute(const double* parameters, const SampledSeeds& seeds, const Cancel& cancel,
                 double* loss);
  // out (p) = the gradient, without decay; once, before the products, which use its panels.
  Status Gradient(const Cancel& cancel, double* out);
  // out (n) = B v.
  Status Multiply(const double* v, const Cancel& cancel, double* out);
  // out (p) = B^T u.
  Status MultiplyTransposed(const double* u, const Cancel& cancel, double* out);
  // The upper triangle of B B^T, from the products of inputs and of deltas of each layer.
  Status FormKernel(const Cancel& cancel, SymmetricMatrix* kernel);

  void Release();
  size_t bytes() const { return panels_.bytes() + scratch_.bytes(); }
  // bytes() after all of these.
  static double EstimateBytes(const Architecture& net, int threads, size_t samples);

 private:
  enum Kind : size_t { kRow, kGradient, kOutput };
  static constexpr size_t kKinds = 3;

  static size_t TileSize(size_t samples);
  static size_t PassScratch(const Architecture& net, size_t samples);
  static size_t WorkerScratch(const Architecture& net, size_t samples);
  Status Reserve();
  double* Scratch(int worker) {
    return scratch_.data() + static_cast<size_t>(worker) * scratch_size_;
  }
  // Of the units of a layer: their deltas for b_i, those for the gradient or B^T u, their outputs.
  double* Units(size_t layer, Kind kind);
  Panel Input(size_t layer);

  double PassTile(const double* parameters, const SampledSeeds& seeds, size_t s0, size_t size,
                  double* scratch);
  double SeedTile(const SampledSeeds& seeds, size_t s0, size_t size, const double* slopes,
                  double* scratch);
  void BackwardTile(const double* parameters, size_t s0, size_t size, const double* slopes);
  // Columns [first, first + count) of B B^T.
  void AddColumns(size_t first, size_t count, double* scratch, SymmetricMatrix* kernel);

  const Architecture& net_;
  const Dataset& data_;
  const int threads_;
  Buffer panels_;  // [layer][kind][unit][sample]
  Buffer scratch_;
  size_t scratch_size_ = 0;  // of one worker
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_SAMPLED_PANELS_H_
