// Implements the preconditioner by Woodbury's identity (sample_system.h) and the conjugate
// gradients with it.
#include "curvature/sample_system.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "blas.h"
#include "cholesky.h"
#include "gemm.h"
#include "thread_pool.h"

namespace gaussflow {

namespace {

// Parts of a product with B: so many of its rows, or of its columns. They do not depend on the
// number of threads, and with them the sums.
constexpr size_t kRows = 64;
constexpr size_t kColumns = 512;

}  // namespace

Status SampleSystem::Reserve(size_t samples) {
  const size_t p = net_.parameter_count, k = samples * net_.output_size;
  const size_t rows = RowCount(k, p), factor = FactorCount(k);
  if (!rows_.Reserve(rows)) return Status::Memory(rows * sizeof(float));
  if (!scaled_.Reserve(rows)) return Status::Memory(rows * sizeof(float));
  if (!factor_.Reserve(factor)) return Status::Memory(factor * sizeof(float));
  diagonal_.assign(p, 0.0);
  shift_.assign(p, 0.0);
  inverse_roots_.assign(p, 0.0);
  long_.assign(p, 0.0F);
  short_.assign(k, 0.0F);
  return Status::Ok();
}

Status SampleSystem::Add(const Tangents& tangents, bool first, const Cancel& cancel) {
  if (first) equations_ = 0;
  if (first) tangents_.Measure(tangents);
  const Status status = tangents_.Fill(tangents, cancel);
  if (!status.ok()) return status;
  const size_t p = net_.parameter_count, c = net_.output_size, count = tangents_.count();
  float* to = rows_.data() + equations_ * p;
  const bool done =
      ThreadPool::Instance().Run(threads_, Parts(count, kRows), cancel, [&](size_t task, int) {
        for (size_t s = task * kRows; s < std::min(count, (task + 1) * kRows); ++s)
          for (size_t a = 0; a < c; ++a) WriteRow(s, a, to + (s * c + a) * p);
      });
  if (!done) return Status::Canceled();
  equations_ += count * c;
  return Status::Ok();
}

void SampleSystem::WriteRow(size_t sample, size_t output, float* row) const {
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    const bool apart = net_.apart(l);
    const float* h = tangents_.Inputs(l, sample);
    const float* deltas = tangents_.Deltas(l, sample) + output * net_.delta_rows(l);
    for (size_t o = 0; o < layer.outputs; ++o) {
      // Where R is diagonal row a reaches only unit a of the last layer.
      const float delta = !apart ? deltas[o] : o == output ? *deltas : 0.0F;
      float* weights = row + layer.weight_offset + o * layer.inputs;
      for (size_t i = 0; i < layer.inputs; ++i) weights[i] = delta * h[i];
      if (layer.bias) row[layer.bias_offset + o] = delta;
    }
  }
}

Status SampleSystem::Factor(double uniform, double factor, const double* scaling,
                            const Cancel& cancel) {
  const size_t p = net_.parameter_count, k = equations_;
  std::vector<float> weights(p);  // T^-1 E^-1/2
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    for (size_t o = 0; o < layer.outputs; ++o)
      for (size_t i = 0; i < layer.right_size(); ++i) {
        const size_t j =
            i < layer.inputs ? layer.weight_offset + o * layer.inputs + i : layer.bias_offset + o;
        shift_[j] = uniform + (scaling == nullptr ? 0.0 : factor * scaling[j]);
        if (!(shift_[j] > 0.0)) return Status::Imprecise(0);
        inverse_roots_[j] = 1.0 / std::sqrt(shift_[j]);
        weights[j] = static_cast<float>(inverse_roots_[j] / tangents_.Scale(l, o, i));
      }
  }
  std::atomic<bool> finite{true};
  bool done = ThreadPool::Instance().Run(threads_, Parts(k, kRows), cancel, [&](size_t task, int) {
    float sum = 0.0F;  // 0 unless an entry is not finite
    for (size_t e = task * kRows; e < std::min(k, (task + 1) * kRows); ++e) {
      const float* from = rows_.data() + e * p;
      float* to = scaled_.data() + e * p;
      for (size_t j = 0; j < p; ++j) {
        to[j] = from[j] * weights[j];
        sum += 0.0F * to[j];
      }
    }
    if (!(sum == 0.0F)) finite.store(false, std::memory_order_relaxed);
  });
  if (!done) return Status::Canceled();
  if (!finite.load()) return Status::Imprecise(0);
  const float* b = scaled_.data();
  float* lower = factor_.data();
  const auto fill = [&](size_t row, size_t rows, size_t column, size_t columns) {
    Gemm('T', 'N', rows, columns, p, 1.0F, b + row * p, p, b + column * p, p, 0.0F,
         lower + column * k + row, k);
    for (size_t e = std::max(row, column); e < std::min(row + rows, column + columns); ++e)
      lower[e * k + e] += 1.0F;
  };
  const Status status = Cholesky(k, lower, k, threads_, cancel, fill);
  // An entry past the range of float makes a pivot that is not positive.
  return status.code == Code::kIndefinite ? Status::Imprecise(0) : status;
}

void SampleSystem::Precondition(const double* r, double* z) {
  const size_t p = net_.parameter_count, k = equations_;
  const float* b = scaled_.data();
  const auto apply = [&](float* x) {
    ThreadPool& pool = ThreadPool::Instance();
    // Without a flag there is nothing that could stop them: no status to look at.
    pool.Run(threads_, Parts(k, kRows), {}, [&](size_t task, int) {
      const size_t e = task * kRows;
      blas::Gemv('T', p, std::min(kRows, k - e), 1.0F, b + e * p, p, x, 0.0F, short_.data() + e);
    });
    for (const bool transpose : {false, true})
      SolveTriangular(transpose, k, factor_.data(), k, 1, short_.data(), k, threads_, {});
    pool.Run(threads_, Parts(p, kColumns), {}, [&](size_t task, int) {
      const size_t j = task * kColumns;
      blas::Gemv('N', std::min(kColumns, p - j), k, -1.0F, b + j, p, short_.data(), 1.0F, x + j);
    });
  };
  PreconditionInFloat(inverse_roots_, r, apply, &long_, z);
}

Status SampleSystem::Solve(const double* b, const Operator& gram, double tolerance, size_t most,
                           double* x, double* residual, size_t* steps) {
  const auto precondition = [this](const double* r, double* z) { Precondition(r, z); };
  return ConjugateGradients(net_.parameter_count, shift_.data(), gram, precondition, b, tolerance,
                            most, x, residual, steps);
}

void SampleSystem::Release() {
  tangents_.Release();
  rows_.Release();
  scaled_.Release();
  factor_.Release();
}

double SampleSystem::EstimateLeftBytes(const Sizes& sizes) {
  const size_t p = sizes.net.parameter_count;
  return TangentRows<float>::EstimateBytes(sizes.net, 0) + BytesOf<double>(3 * p) +
         BytesOf<float>(p + sizes.used() * sizes.net.output_size);
}

Footprint SampleSystem::EstimateBytes(const Sizes& sizes, size_t count) {
  const Architecture& net = sizes.net;
  const size_t k = sizes.used() * net.output_size;
  Footprint held;
  held.curvature = 2.0 * BytesOf<float>(RowCount(k, net.parameter_count));
  held.factor = BytesOf<float>(FactorCount(k));
  held.workspaces = EstimateLeftBytes(sizes) + TangentRows<float>::EstimateBytes(net, count) -
                    TangentRows<float>::EstimateBytes(net, 0);
  return held;
}

size_t SampleSystem::bytes() const {
  return tangents_.bytes() + rows_.bytes() + scaled_.bytes() + factor_.bytes() +
         (short_.capacity() + long_.capacity()) * sizeof(float) +
         (diagonal_.capacity() + shift_.capacity() + inverse_roots_.capacity()) * sizeof(double);
}

}  // namespace gaussflow
