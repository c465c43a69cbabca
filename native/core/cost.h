// Estimates the cost of a call in flops of small matrix products, from sizes alone. The binding
// (engine_object*.cc) asks before each call and runs cheap ones synchronously, because handing one
// to another thread and back takes longer than the work; the curvatures estimate their solves by
// it. The estimate is rough, and the same on every machine, so that a call is always run in the
// same way.
#ifndef GAUSSFLOW_CORE_COST_H_
#define GAUSSFLOW_CORE_COST_H_

#include <cstddef>

#include "architecture.h"

namespace gaussflow::cost {

// Calls of at most this cost run synchronously. Measured on one core of an AMD EPYC (Zen 4) such
// calls run at 4 GF/s and more, so the event loop waits for less than 0.2 ms; a thread hop there
// and back is 0.02 to 0.1 ms, and more on a busy machine. The planner asks for these estimates.
// `npm run bench -- --only native-vs-reference-sweep` prints the longest.
constexpr double kSynchronousFlops = 6e5;

// Predictions, or the loss, of n samples.
double Forward(const Architecture& net, size_t n);
// Forward and backward passes of n samples, and one product with J or J^T.
double Passes(const Architecture& net, size_t n);
// One product of n samples with the exact Hessian, its passes over the samples included.
double HessianProduct(const Architecture& net, size_t n);
// Solves with a Cholesky factor of that order, and the factorization with them.
double Solves(size_t order);
double FactorAndSolve(size_t order);
double Eigen(size_t order, bool vectors);

}  // namespace gaussflow::cost

#endif  // GAUSSFLOW_CORE_COST_H_
