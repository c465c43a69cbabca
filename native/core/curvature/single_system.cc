// Implements the float factor and its conjugate gradients (single_system.h).
#include "curvature/single_system.h"

#include <atomic>
#include <cmath>

#include "cholesky.h"

namespace gaussflow {

Status SingleSystem::Reserve(size_t n) {
  if (!matrix_.Reserve(n)) return Status::Memory(matrix_.Count(n) * sizeof(float));
  scales_.assign(n, 1.0);
  diagonal_.assign(n, 0.0);
  shift_.assign(n, 0.0);
  inverse_roots_.assign(n, 0.0);
  work_.assign(n, 0.0F);
  return Status::Ok();
}

Status SingleSystem::Factor(double uniform, double factor, const double* scaling,
                            const Cancel& cancel) {
  const size_t n = matrix_.n();
  std::vector<double> weights(n);  // S T^-1
  for (size_t i = 0; i < n; ++i) {
    shift_[i] = uniform + (scaling == nullptr ? 0.0 : factor * scaling[i]);
    const double diagonal = diagonal_[i] + shift_[i];
    if (!(diagonal > 0.0)) return Status::Indefinite(i);
    inverse_roots_[i] = 1.0 / std::sqrt(diagonal);
    weights[i] = inverse_roots_[i] / scales_[i];
  }
  const float* upper = matrix_.upper();
  float* lower = matrix_.lower();
  std::atomic<bool> finite{true};
  const auto fill = [&](size_t row, size_t rows, size_t column, size_t columns) {
    float sum = 0.0F;  // 0 unless an entry is not finite
    ForLowerTile(row, rows, column, columns, [&](size_t i, size_t j) {
      const double value = static_cast<double>(upper[i * n + j]) * weights[j] * weights[i];
      lower[j * n + i] = i == j ? 1.0F : static_cast<float>(value);
      sum += 0.0F * lower[j * n + i];
    });
    if (!(sum == 0.0F)) finite.store(false, std::memory_order_relaxed);
  };
  const Status status = Cholesky(n, lower, n, threads_, cancel, fill);
  // Every tile was filled, also behind a bad pivot: which of the two is said depends on no thread.
  if (status.code != Code::kCanceled && !finite.load()) return Status::Imprecise(0);
  return status;
}

void SingleSystem::Precondition(const double* r, double* z) {
  const size_t n = matrix_.n();
  const auto solve = [&](float* x) {
    // Without a flag there is nothing that could stop it: no status to look at.
    for (const bool transpose : {false, true})
      SolveTriangular(transpose, n, matrix_.lower(), n, 1, x, n, threads_, {});
  };
  PreconditionInFloat(inverse_roots_, r, solve, &work_, z);
}

Status SingleSystem::Solve(const double* b, const Operator& gram, double tolerance, size_t most,
                           double* x, double* residual, size_t* steps) {
  const auto precondition = [this](const double* r, double* z) { Precondition(r, z); };
  return ConjugateGradients(matrix_.n(), shift_.data(), gram, precondition, b, tolerance, most, x,
                            residual, steps);
}

}  // namespace gaussflow
