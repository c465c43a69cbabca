// Implements the preconditioned conjugate gradients of conjugate_gradients.h, in double precision
// on vectors of p numbers.
#include "conjugate_gradients.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gaussflow {

namespace {

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double Largest(size_t n, const double* values) {
  double most = 0.0;
  for (size_t i = 0; i < n; ++i) most = std::max(most, std::fabs(values[i]));
  return most;
}

}  // namespace

void PreconditionInFloat(const std::vector<double>& weights, const double* r,
                         const std::function<void(float*)>& apply, std::vector<float>* work,
                         double* z) {
  const size_t n = weights.size();
  for (size_t i = 0; i < n; ++i) z[i] = weights[i] * r[i];
  const double largest = Largest(n, z);
  if (!(largest > 0.0)) return;
  float* scaled = work->data();
  for (size_t i = 0; i < n; ++i) scaled[i] = static_cast<float>(z[i] / largest);
  apply(scaled);
  for (size_t i = 0; i < n; ++i) z[i] = weights[i] * (largest * static_cast<double>(scaled[i]));
}

Status ConjugateGradients(size_t n, const double* shift, const Operator& gram,
                          const Preconditioner& precondition, const double* b, double tolerance,
                          size_t most, double* x, double* residual, size_t* steps) {
  std::vector<double> r(b, b + n), z(n, 0.0), image(n, 0.0);
  std::fill_n(x, n, 0.0);
  *residual = 0.0;
  *steps = 0;
  const double largest = Largest(n, b);
  if (largest == 0.0) return Status::Ok();
  precondition(r.data(), z.data());
  std::vector<double> direction(z);
  double square = Dot(r, z);
  const double goal = tolerance * tolerance * square;
  for (size_t step = 1; step <= most; ++step) {
    const Status status = gram(direction.data(), image.data());
    if (!status.ok()) return status;
    for (size_t i = 0; i < n; ++i) image[i] += shift[i] * direction[i];
    const double bend = Dot(direction, image);
    if (!(square > 0.0) || !(bend > 0.0) || !std::isfinite(bend)) return Status::Imprecise(step);
    const double length = square / bend;
    for (size_t i = 0; i < n; ++i) {
      x[i] += length * direction[i];
      r[i] -= length * image[i];
    }
    precondition(r.data(), z.data());
    const double next = Dot(r, z);
    if (next <= goal) {
      *steps = step;
      *residual = Largest(n, r.data()) / largest;
      for (size_t i = 0; i < n; ++i)
        if (!std::isfinite(x[i])) return Status::NonFinite(3);
      return Status::Ok();
    }
    const double ratio = next / square;
    for (size_t i = 0; i < n; ++i) direction[i] = z[i] + ratio * direction[i];
    square = next;
  }
  return Status::Imprecise(most);
}

}  // namespace gaussflow
