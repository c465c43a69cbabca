// Builds and applies the preconditioner of sample_rows.h, for a subset that has fewer equations k
// than there are parameters p: the rows of J in float, and the factor of a k x k matrix, in place
// of G and its factor.
//
//   (J^T J + E)^-1 = E^-1/2 (I - B^T (I + B B^T)^-1 B) E^-1/2,   B = J E^-1/2,  E = diag(shift)
//
// (Woodbury.) k p^2 / 2 + p^3 / 6 multiplications become k^2 p / 2 + k^3 / 6. If an entry of B B^T
// exceeds about 1 / eps32, the identity I is lost in rounding, and with it the damping of the other
// directions. The conjugate gradients then do not converge in time, which is reported as in
// single_system.h.
#ifndef GAUSSFLOW_CORE_CURVATURE_SAMPLE_SYSTEM_H_
#define GAUSSFLOW_CORE_CURVATURE_SAMPLE_SYSTEM_H_

#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "conjugate_gradients.h"
#include "curvature/tangent_rows.h"
#include "sizes.h"
#include "status.h"

namespace gaussflow {

class SampleSystem {
 public:
  SampleSystem(const Architecture& architecture, int threads)
      : net_(architecture), threads_(threads), tangents_(architecture, threads) {}

  // Whether so many equations pay for p parameters.
  static bool Pays(size_t equations, size_t p) { return 2 * equations <= p; }

  // Room for the rows of so many samples; diagonal() is zero.
  Status Reserve(size_t samples);
  // Appends the block in `tangents`; `first` starts again with an empty matrix.
  Status Add(const Tangents& tangents, bool first, const Cancel& cancel);
  // diag J^T J (p), to be filled by the caller.
  double* diagonal() { return diagonal_.data(); }
  void Release();

  // As those of SingleSystem.
  Status Factor(double uniform, double factor, const double* scaling, const Cancel& cancel);
  Status Solve(const double* b, const Operator& gram, double tolerance, size_t most, double* x,
               double* residual, size_t* steps);
  void Precondition(const double* r, double* z);

  size_t bytes() const;
  // bytes() of the rows of a subset and of their factor; of the vectors beside them, which stay
  // after Release; and of the deltas and inputs of a block of `count` samples.
  static Footprint EstimateBytes(const Sizes& sizes, size_t count);
  static double EstimateLeftBytes(const Sizes& sizes);

 private:
  // Numbers of the rows of J and of the factor, for k equations.
  static size_t RowCount(size_t k, size_t p) { return Times(k, p); }
  static size_t FactorCount(size_t k) { return Times(k, k); }
  void WriteRow(size_t sample, size_t output, float* row) const;

  const Architecture& net_;
  int threads_;
  TangentRows<float> tangents_;
  size_t equations_ = 0;
  BufferOf<float> rows_;    // J T, an equation a row of p
  BufferOf<float> scaled_;  // B
  BufferOf<float> factor_;  // of I + B B^T: k x k, lower triangle
  std::vector<double> diagonal_;
  std::vector<double> shift_;
  std::vector<double> inverse_roots_;  // E^-1/2
  std::vector<float> short_;           // k
  std::vector<float> long_;            // p
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_SAMPLE_SYSTEM_H_
