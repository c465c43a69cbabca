// The engine's orthogonal linearization and solve, and what it tells of the curvature: a copy, the
// spectrum, products and inverse products.
#include <algorithm>
#include <cmath>

#include "blas.h"
#include "clock.h"
#include "engine.h"

namespace gaussflow {

Status Engine::LinearizeOrthogonal(const double* parameters, double decay, double* scaling,
                                   const Cancel& cancel, Linearization* result) {
  const size_t p = net_.parameter_count, n = data_.sample_count, c = net_.output_size;
  const double start = Now();
  double curvature_seconds = 0.0, loss = 0.0;
  parameters_.assign(parameters, parameters + p);
  gradient_.assign(p, 0.0);
  // Blocks of about half as many rows as columns: the block stays below the triangle in size.
  const size_t samples =
      std::min({n, BlockSize(), std::max<size_t>(1, std::max<size_t>(256, p / 2) / c)});
  Status status = orthogonal_.Reset(p, samples * c);
  if (!status.ok()) return status;
  for (size_t first = 0; first < n; first += samples) {
    const size_t count = std::min(samples, n - first), rows = count * c;
    status = tangents_.Compute(parameters, first, count, true, cancel, &loss);
    if (!status.ok()) return status;
    if (!std::isfinite(loss)) return Status::NonFinite(0);
    status = tangents_.AddTransposeProduct({}, cancel, gradient_.data());
    if (!status.ok()) return status;
    // Before the triangle, where the same overflow would have the curvature's name.
    for (const double value : gradient_)
      if (!std::isfinite(value)) return Status::NonFinite(1);
    const double before = Now();
    double* block = orthogonal_.block();
    tangents_.WriteColumns(block);
    std::copy_n(tangents_.Residual().data, rows, block + p * rows);
    status = orthogonal_.Absorb(rows, cancel);
    if (!status.ok()) return status;
    curvature_seconds += Now() - before;
  }
  std::vector<double> squares(p);
  for (size_t j = 0; j < p; ++j) squares[j] = orthogonal_.ColumnSquare(j);
  status =
      TakeDiagonal(squares.data(), 1, std::sqrt(2.0 * loss), scaling, &result->gradient_cosine);
  if (!status.ok()) return status;
  AddDecay(decay);
  curvature_ = Curvature::kOrthogonal;
  result->loss = loss;
  result->curvature_seconds = curvature_seconds;
  result->pass_seconds = Now() - start - curvature_seconds;
  return Status::Ok();
}

Status Engine::SolveOrthogonal(double damping, double decay, const double* scaling,
                               const Cancel& cancel, double* step, Solution* result) {
  const size_t p = net_.parameter_count;
  std::vector<double> shift, offset;
  if (damping > 0.0 || decay > 0.0) {
    shift.resize(p);
    for (size_t j = 0; j < p; ++j)
      shift[j] = decay + damping * (scaling == nullptr ? 1.0 : scaling[j]);
  }
  if (decay > 0.0) {
    offset = parameters_;
    for (double& value : offset) value *= decay;
  }
  return orthogonal_.Solve(shift.empty() ? nullptr : shift.data(),
                           offset.empty() ? nullptr : offset.data(), cancel, step,
                           &result->residual, &result->rank);
}

size_t Engine::CurvatureOrder() const {
  switch (curvature_) {
    case Curvature::kNone:
      return 0;
    case Curvature::kOrthogonal:
      return orthogonal_.p();
    case Curvature::kMatrixFree:
    case Curvature::kPrimal:
      return net_.parameter_count;
    default:
      return system_.matrix().n();
  }
}

size_t Engine::Position(size_t i) const {
  const size_t n = data_.sample_count, c = net_.output_size;
  return curvature_ == Curvature::kDual ? (i % n) * c + i / n : i;
}

void Engine::CopyCurvature(double* out) const {
  const size_t order = CurvatureOrder();
  if (curvature_ == Curvature::kOrthogonal) {
    orthogonal_.CopyGram(out);
    return;
  }
  for (size_t j = 0; j < order; ++j) {
    for (size_t i = 0; i <= j; ++i) {
      const double value = system_.matrix().at(i, j);
      out[Position(i) * order + Position(j)] = value;
      out[Position(j) * order + Position(i)] = value;
    }
  }
}

Status Engine::Eigen(const Cancel& cancel, double* values, double* vectors) const {
  const size_t order = CurvatureOrder();
  if (order == 0) return Status::Misuse();
  Status status = Status::Ok();
  if (curvature_ == Curvature::kOrthogonal) {
    status = orthogonal_.SingularValues(values, vectors);
  } else {
    Buffer copy;
    if (vectors == nullptr && !copy.Reserve(order * order))
      return Status::Memory(order * order * sizeof(double));
    double* matrix = vectors == nullptr ? copy.data() : vectors;
    CopyCurvature(matrix);
    // Column k of the column-major result is row k of what callers see.
    // dsyevd's workspace of 2 n^2 and more is counted in 32 bits.
    if (vectors != nullptr && order > 32766)
      return Status::Memory(4 * order * order * sizeof(double));
    if (!blas::SymmetricEigen(vectors != nullptr, order, matrix, values))
      status = Status::NonFinite(2);
  }
  return cancel.Raised() ? Status::Canceled() : status;
}

Status Engine::EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const {
  const size_t order = CurvatureOrder();
  *count = 0;
  if (order == 0) return Status::Misuse();
  Status status = Status::Ok();
  if (curvature_ == Curvature::kOrthogonal) {
    std::vector<double> squares(order);
    status = orthogonal_.SingularValues(squares.data(), nullptr);
    for (const double square : squares) *count += square < bound ? 1 : 0;
  } else {
    Buffer copy;
    if (!copy.Reserve(order * order)) return Status::Memory(order * order * sizeof(double));
    std::copy_n(system_.matrix().upper(), order * order, copy.data());
    for (size_t i = 0; i < order; ++i) copy.data()[i * order + i] -= bound;
    *count = blas::NegativeInertia(order, copy.data());
  }
  return cancel.Raised() ? Status::Canceled() : status;
}

Status Engine::CurvatureProduct(size_t count, const double* vectors, const Cancel& cancel,
                                double* out) {
  if (curvature_ == Curvature::kMatrixFree && subset_ != nullptr)
    return SubsetProduct(count, vectors, cancel, out);
  const bool primal = curvature_ == Curvature::kPrimal;
  if (curvature_ == Curvature::kMatrixFree || (primal && precision_ == Precision::kSingle))
    return products_.Gram(count, vectors, cancel, out);
  if (!primal && curvature_ != Curvature::kDual) return Status::Misuse();
  if (primal) return system_.Multiply(count, vectors, out, cancel);
  const size_t order = CurvatureOrder();
  std::vector<double> x(order * count), y(order * count);
  for (size_t v = 0; v < count; ++v)
    for (size_t i = 0; i < order; ++i) x[v * order + i] = vectors[v * order + Position(i)];
  const Status status = system_.Multiply(count, x.data(), y.data(), cancel);
  if (!status.ok()) return status;
  for (size_t v = 0; v < count; ++v)
    for (size_t i = 0; i < order; ++i) out[v * order + Position(i)] = y[v * order + i];
  return Status::Ok();
}

Status Engine::CurvatureInverse(const double* vector, double shift, const Cancel& cancel,
                                double* out) {
  if (curvature_ != Curvature::kPrimal && curvature_ != Curvature::kDual) return Status::Misuse();
  if (factored_ != shift) {
    factored_ = -1.0;
    solved_ = false;
    const Status status = system_.Factor(shift, 0.0, nullptr, cancel);
    if (!status.ok()) return status;
    factored_ = shift;
  }
  const size_t order = CurvatureOrder();
  std::vector<double> x(order), y(order);
  for (size_t i = 0; i < order; ++i) x[i] = vector[Position(i)];
  double residual = 0.0;
  const Status status = system_.Solve(x.data(), y.data(), &residual, cancel);
  if (!status.ok()) return status;
  for (size_t i = 0; i < order; ++i) out[Position(i)] = y[i];
  return Status::Ok();
}

}  // namespace gaussflow
