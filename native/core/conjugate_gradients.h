// Solves (G + diag(shift)) x = b by conjugate gradients on the double operator, preconditioned by a
// single-precision factor. The solves of the curvatures in single precision and of a subset
// (curvature/single_system, curvature/sample_system) call it.
//
// The iteration stops when the preconditioned residual sqrt(r^T M^-1 r) has fallen to the requested
// tolerance relative to the start. That residual is the error of the step in the norm of the damped
// system if M is near it.
#ifndef GAUSSFLOW_CORE_CONJUGATE_GRADIENTS_H_
#define GAUSSFLOW_CORE_CONJUGATE_GRADIENTS_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "status.h"

namespace gaussflow {

// out = G v in double.
using Operator = std::function<Status(const double* v, double* out)>;
// z = M^-1 r.
using Preconditioner = std::function<void(const double* r, double* z)>;

// z = W A W r for W = diag(weights), with an A that is applied in float, in place: what it is given
// has 1 for its largest entry, so that no r is too large or too small for float.
void PreconditionInFloat(const std::vector<double>& weights, const double* r,
                         const std::function<void(float*)>& apply, std::vector<float>* work,
                         double* z);

// x = (G + diag(shift))^-1 b, n entries. *residual = |b - A x|_inf / |b|_inf at the end, *steps
// those of the gradients. Imprecise where they need more than `most`.
Status ConjugateGradients(size_t n, const double* shift, const Operator& gram,
                          const Preconditioner& precondition, const double* b, double tolerance,
                          size_t most, double* x, double* residual, size_t* steps);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CONJUGATE_GRADIENTS_H_
