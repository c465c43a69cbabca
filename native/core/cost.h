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

// Calls of at most this cost run synchronously: the event loop waits for about a millisecond at
// most, and a hop to another thread and back is 0.02 to 0.1 ms, twice a step of a small batch. A
// call of at most kAloneFlops stays on its thread: waking another takes longer than the work. The
// planner asks for these estimates. Measured on two cores of an AMD EPYC (Zen 5): steps of exact
// Gauss-Newton on 8-32-32-1 take 0.55 of the time with both limits at batch 64, 0.7 at batch 128.
constexpr double kSynchronousFlops = 5e6;
constexpr double kAloneFlops = 1.5e6;

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
