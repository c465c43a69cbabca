// Constants of the activations that are built from the normal distribution (gelu, erf), for
// activations.cc and activation_derivatives.cc.
#ifndef GAUSSFLOW_CORE_ACTIVATION_CONSTANTS_H_
#define GAUSSFLOW_CORE_ACTIVATION_CONSTANTS_H_

namespace gaussflow {

constexpr double kInvSqrt2 = 0.70710678118654752440;
constexpr double kInvSqrt2Pi = 0.39894228040143267794;
constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ACTIVATION_CONSTANTS_H_
