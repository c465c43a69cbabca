// One architecture on one data set: what src/backend/engine.ts describes, without Node. Calls are
// not reentrant; the binding holds a guard. Samples go through in blocks whose size depends on the
// problem's sizes alone.
#ifndef GAUSSFLOW_CORE_ENGINE_H_
#define GAUSSFLOW_CORE_ENGINE_H_

#include <cmath>
#include <memory>
#include <vector>

#include "architecture.h"
#include "curvature/damped_system.h"
#include "curvature/gram_builder.h"
#include "curvature/kernel_builder.h"
#include "curvature/orthogonal_system.h"
#include "curvature/sample_system.h"
#include "curvature/single_system.h"
#include "dataset.h"
#include "products.h"
#include "status.h"
#include "tangents.h"
#include "thread_pool.h"

namespace gaussflow {

// Of the primal Gram and its factor.
enum class Precision : int { kDouble = 0, kSingle = 1 };

enum class Curvature : int { kNone = 0, kPrimal = 1, kDual = 2, kOrthogonal = 3, kMatrixFree = 4 };

struct Linearization {
  double loss = 0.0;
  double gradient_cosine = 0.0;
  double pass_seconds = 0.0;
  double curvature_seconds = 0.0;
  std::vector<double> diagonal;  // of J~^T J~ (p); matrix-free only
};

struct Solution {
  double condition = 0.0;
  double residual = 0.0;
  Rank rank;         // of the orthogonal route; rank.tolerance 0 = none
  size_t steps = 0;  // of the conjugate gradients behind a single-precision factor
};

class Engine {
 public:
  Engine(Architecture architecture, int threads);

  // The samples: all at once, or room for them, which `data` fills before the first call. Those of
  // a file are read block by block, and only their weights are to be filled in.
  Status SetData(size_t n, const double* inputs, const double* targets, const double* weights);
  Status ReserveData(size_t n, bool weighted);
  Status ReserveFile(size_t n, const FileLayout& layout, bool weighted);
  Dataset& data() { return data_; }

  // out: n x c, row-major.
  Status Forward(const double* parameters, const Cancel& cancel, double* out);
  Status Evaluate(const double* parameters, const Cancel& cancel, double* loss);
  // Makes gradient() = J~^T r~ + decay w. scaling: state of the running maximum, updated in place,
  // or null. Single precision is for the primal curvature. Dual: the gradient's cosine is a lower
  // bound of it where that is above `exact_measure_below`. A subset (ascending indices of samples,
  // or null for all) stands for all samples in what is costly: the single-precision Gram, which
  // only preconditions then, and the products of the matrix-free curvature, which are in float
  // where that has the range. So do the scaling, the diagonal and the cosine; loss and gradient are
  // exact.
  Status Linearize(const double* parameters, Curvature curvature, double decay, double* scaling,
                   const Cancel& cancel, Linearization* result,
                   Precision precision = Precision::kDouble, double exact_measure_below = HUGE_VAL,
                   const std::vector<uint32_t>* subset = nullptr);
  // Those of the last linearization; empty before the first.
  const std::vector<double>& parameters() const { return parameters_; }
  // p numbers; of no use after a linearization that failed.
  const std::vector<double>& gradient() const { return gradient_; }
  // step (p) = -(G + decay I + damping D)^-1 gradient at the last linearization. Single precision
  // knows no condition estimate, and solves down to `tolerance`. The correction is added to G; it
  // wants the primal curvature in double precision and no condition estimate.
  Status Solve(double damping, double decay, const double* scaling, bool condition,
               const Cancel& cancel, double* step, Solution* result,
               double tolerance = SingleSystem::kTolerance, const LowRank& correction = {});
  // With the factor of the last Solve: acceleration (p) = -(G + decay I + damping D)^-1 J^T psi_vv,
  // psi_vv the second derivative of the predictions along velocity (p). `scaling` as in Solve.
  Status Accelerate(const double* velocity, const double* scaling, const Cancel& cancel,
                    double* acceleration);
  // J v (n c) and J^T u (p) for `count` vectors, one row each, and rows of J (row count c x p),
  // none of them weighted.
  Status Product(const double* parameters, size_t count, const double* vectors,
                 const Cancel& cancel, double* out);
  Status TransposeProduct(const double* parameters, size_t count, const double* vectors,
                          const Cancel& cancel, double* out);
  Status Jacobian(const double* parameters, size_t first, size_t count, const Cancel& cancel,
                  double* out);
  // Order of the curvature of the last linearization (0 = none), and the whole matrix, dual in
  // sample-major order; matrix-free there is an order and no matrix.
  Curvature curvature() const { return curvature_; }
  Precision precision() const { return precision_; }
  size_t CurvatureOrder() const;
  void CopyCurvature(double* out) const;
  // Eigenvalues of the curvature, ascending; vectors (order x order, one a row) or null.
  // LAPACK looks at no flag: a raised one is found once it has ended.
  Status Eigen(const Cancel& cancel, double* values, double* vectors) const;
  // Number of eigenvalues of the curvature below `bound`.
  Status EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const;
  // M v (`count` vectors, one row each) and (M + shift I)^-1 v with the curvature M, vectors in
  // sample-major order.
  Status CurvatureProduct(size_t count, const double* vectors, const Cancel& cancel, double* out);
  // Matrix-free: A_l and B_l of every layer, square after square (layer_factors.cc).
  size_t LayerFactorsSize() const;
  Status LayerFactors(const Cancel& cancel, double* out);
  Status CurvatureInverse(const double* vector, double shift, const Cancel& cancel, double* out);

  const Architecture& architecture() const { return net_; }
  size_t sample_count() const { return data_.sample_count; }
  // count x inputs, row-major: for the diagnosis of a failure.
  Status CopyInputs(size_t first, size_t count, double* out) const {
    return data_.CopyInputs(first, count, out);
  }
  int threads() const { return threads_; }
  size_t bytes() const;

 private:
  size_t BlockSize() const { return BlockSize(data_.sample_count); }
  size_t BlockSize(size_t samples) const;
  // The samples that stand for all, and what is formed of them.
  struct Subset {
    Subset(const Architecture& net, int threads)
        : tangents(net, data, threads),
          products(net, data, threads),
          exact_products(net, data, threads) {}
    size_t bytes() const {
      return data.bytes() + tangents.bytes() + products.bytes() + exact_products.bytes();
    }
    Dataset data;
    Tangents tangents;
    SingleProducts products;
    Products exact_products;  // where float has not the range
    bool ranged = true;       // float has done so far at this linearization
  };
  // The curvature of the samples in subset_, where it is formed apart from the passes.
  // `squares` (p) += its diagonal.
  Status FormSubset(const double* parameters, Curvature curvature, const Cancel& cancel,
                    double* squares);
  // G v of the subset in float, in double where that leaves its range.
  Status SubsetProduct(size_t count, const double* vectors, const Cancel& cancel, double* out);
  // body(s0, size, outputs f) for every tile of samples; f is [output][kTile].
  template <typename Body>
  Status ForEachTile(const double* parameters, const Cancel& cancel, const Body& body);
  Status SolveDual(double damping, double decay, const double* scaling, const Cancel& cancel,
                   double* step, Solution* result);
  // Whether the subset of the last linearization stands in samples_, not in single_.
  bool BySamples() const;
  // x = (G + shift)^-1 b with the primal factor of the last Solve.
  Status SolvePrimal(const double* b, const Cancel& cancel, double* x, Solution* result);
  // The panels of samples [first, first + count) at the parameters of the linearization.
  Status MakePanels(size_t first, size_t count, const Cancel& cancel);
  // out (p) = -D^-1 J~^T u with the panels of the linearization, D one factor a layer.
  Status DualBack(const double* u, const double* scaling, const Cancel& cancel, double* out);
  // gradient_ += decay * parameters_
  void AddDecay(double decay);
  // Of diag G, entry j at diagonal[j * stride]: that it is finite, the raised scaling (or null),
  // the gradient's cosine.
  Status TakeDiagonal(const double* diagonal, size_t stride, double residual_norm, double* scaling,
                      double* cosine) const;
  // Raised scaling (or null) and gradient's cosine of the dual route.
  Status MeasureDual(double residual_norm, double exact_below, const Cancel& cancel,
                     double* scaling, double* cosine);
  Status LinearizeOrthogonal(const double* parameters, double decay, double* scaling,
                             const Cancel& cancel, Linearization* result);
  Status SolveOrthogonal(double damping, double decay, const double* scaling, const Cancel& cancel,
                         double* step, Solution* result);
  // Where entry i of the stored matrix stands in the order that callers see.
  size_t Position(size_t i) const;

  const Architecture net_;
  const int threads_;
  Dataset data_;
  Tangents tangents_;
  GramBuilder<double> gram_;
  GramBuilder<float> single_gram_;
  KernelBuilder kernel_;
  Products products_;
  std::unique_ptr<Subset> subset_;               // of the last linearization; null = all samples
  double tolerance_ = SingleSystem::kTolerance;  // of the last Solve
  DampedSystem system_;
  SingleSystem single_;
  SampleSystem samples_;  // in place of single_ where the subset is small
  OrthogonalSystem orthogonal_;
  double factored_ = -1.0;  // shift of the factor in system_, or -1
  bool solved_ = false;     // the factor in system_ is that of the last Solve
  Buffer forward_work_;
  Curvature curvature_ = Curvature::kNone;
  Precision precision_ = Precision::kDouble;
  std::vector<double> parameters_;  // of the last linearization
  std::vector<double> gradient_;
  std::vector<double> input_factor_;  // A of the first layer: the same at all parameters
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ENGINE_H_
