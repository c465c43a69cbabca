// Implements the gradient measure and the scaling from the diagonal (measure.h).
#include "curvature/measure.h"

#include <algorithm>
#include <cmath>

namespace gaussflow {

double GradientCosine(const Pass& pass, const double* diagonal, size_t stride) {
  if (std::isnan(pass.residual_norm)) return pass.residual_norm;
  if (pass.residual_norm == 0.0) return 0.0;
  double largest = 0.0;
  for (size_t j = 0; j < pass.gradient.size(); ++j) {
    const double square = diagonal[j * stride];
    if (square > 0.0)
      largest =
          std::max(largest, std::fabs(pass.gradient[j]) / (std::sqrt(square) * pass.residual_norm));
  }
  return largest;
}

Status TakeDiagonal(const Pass& pass, const double* diagonal, size_t stride, double* scaling,
                    double* cosine) {
  const size_t p = pass.gradient.size();
  for (size_t j = 0; j < p; ++j)
    if (!std::isfinite(diagonal[j * stride])) return Status::NonFinite(2);
  for (size_t j = 0; scaling != nullptr && j < p; ++j) {
    scaling[j] = std::max(scaling[j], diagonal[j * stride]);
    if (scaling[j] == 0.0) scaling[j] = 1.0;
  }
  *cosine = GradientCosine(pass, diagonal, stride);
  return Status::Ok();
}

Status FiniteHere(const Context& context, const double* diagonal, size_t stride) {
  if (context.data.ranks().alone()) return Status::Ok();
  for (size_t j = 0; j < context.net.parameter_count; ++j)
    if (!std::isfinite(diagonal[j * stride])) return Status::NonFinite(2);
  return Status::Ok();
}

}  // namespace gaussflow
