// Computes the gradient measure, and the running maximum that scales the damping, from diag J~^T
// J~. Every curvature (gram, single_curvature, kernel, triangle, operator) calls it at the end of a
// linearization.
#ifndef GAUSSFLOW_CORE_CURVATURE_MEASURE_H_
#define GAUSSFLOW_CORE_CURVATURE_MEASURE_H_

#include <cstddef>

#include "curvature/curvature.h"

namespace gaussflow {

// max_j |gradient_j| / (|J~_j| |r~|): MINPACK's gtol measure, of squared error alone; NaN for other
// losses. |J~_j|^2 is diagonal[j * stride].
double GradientCosine(const Pass& pass, const double* diagonal, size_t stride);

// Raises scaling (p, or null) to that diagonal and takes the measure. NonFinite(2) where an entry
// is not finite.
Status TakeDiagonal(const Pass& pass, const double* diagonal, size_t stride, double* scaling,
                    double* cosine);

// Under ranks: NonFinite(2) where an entry of that diagonal, as far as it is summed here, is not
// finite. After the join every rank would find it, and none would know whose samples it came from.
Status FiniteHere(const Context& context, const double* diagonal, size_t stride);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_MEASURE_H_
