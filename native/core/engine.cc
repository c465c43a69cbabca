#include "engine.h"

#include <algorithm>
#include <cmath>

#include "clock.h"
#include "vectors.h"

namespace gaussflow {

namespace {

// max_j |gradient_j| / (|J_j| |r|) with |J_j|^2 on the diagonal: MINPACK's gtol measure.
double GradientCosine(const std::vector<double>& gradient, const double* diagonal, size_t stride,
                      double residual_norm) {
  if (residual_norm == 0.0) return 0.0;
  double largest = 0.0;
  for (size_t j = 0; j < gradient.size(); ++j) {
    const double square = diagonal[j * stride];
    if (square > 0.0)
      largest = std::max(largest, std::fabs(gradient[j]) / (std::sqrt(square) * residual_norm));
  }
  return largest;
}

// Never above that, up to rounding: no column of J is longer than those of its unit's weights
// together.
double CosineBound(const Architecture& net, const double* gradient, const UnitSquares& squares,
                   double residual_norm, int threads) {
  if (residual_norm == 0.0) return 0.0;
  double largest = 0.0;
  const auto raise = [&](double entry, double square) {
    if (square > 0.0) largest = std::max(largest, entry / (std::sqrt(square) * residual_norm));
  };
  std::vector<double> entries(net.max_outputs());
  size_t unit = 0;
  for (const Layer& layer : net.layers) {
    const auto row = [&](size_t o, int /*worker*/) {
      entries[o] =
          LargestMagnitude(layer.inputs, gradient + layer.weight_offset + o * layer.inputs);
    };
    if (layer.inputs * layer.outputs >= kLargeVector)
      ThreadPool::Instance().Run(threads, layer.outputs, Cancel{}, row);
    else
      for (size_t o = 0; o < layer.outputs; ++o) row(o, 0);
    for (size_t o = 0; o < layer.outputs; ++o, ++unit) {
      raise(entries[o], squares.weights[unit]);
      if (layer.bias) raise(std::fabs(gradient[layer.bias_offset + o]), squares.biases[unit]);
    }
  }
  return largest;
}

}  // namespace

Engine::Engine(Architecture architecture, int threads)
    : net_(std::move(architecture)),
      threads_(std::clamp(threads, 1, ThreadPool::kMaxThreads)),
      tangents_(net_, data_, threads_),
      gram_(net_, threads_),
      single_gram_(net_, threads_),
      kernel_(net_, threads_),
      products_(net_, data_, threads_),
      system_(threads_),
      single_(threads_),
      samples_(net_, threads_),
      orthogonal_(threads_) {}

Status Engine::SetData(size_t n, const double* inputs, const double* targets,
                       const double* weights) {
  return data_.Set(n, net_.input_size, net_.output_size, inputs, targets, weights);
}

Status Engine::ReserveData(size_t n, bool weighted) {
  return data_.Reserve(n, net_.input_size, net_.output_size, weighted);
}

Status Engine::ReserveFile(size_t n, const FileLayout& layout, bool weighted) {
  return data_.ReserveFile(n, net_.input_size, net_.output_size, layout, weighted);
}

size_t Engine::BlockSize(size_t count) const {
  // About 24 MiB of panels: large enough that a tile of G is visited rarely, small enough for any
  // n.
  constexpr size_t kDoubles = 3 << 20;
  const size_t samples = kDoubles / Tangents::DoublesPerSample(net_);
  const size_t whole_tiles = std::max<size_t>(1, samples / Tangents::kTile) * Tangents::kTile;
  return std::min(count, whole_tiles);
}

template <typename Body>
Status Engine::ForEachTile(const double* parameters, const Cancel& cancel, const Body& body) {
  constexpr size_t kTile = Tangents::kTile;
  const size_t per_worker = 2 * net_.max_outputs() * kTile, n = data_.sample_count;
  if (!forward_work_.Reserve(per_worker * static_cast<size_t>(threads_)))
    return Status::Memory(per_worker * static_cast<size_t>(threads_) * sizeof(double));
  // All at once from memory, in blocks of whole tiles from a file.
  const size_t block = data_.from_file() ? BlockSize() : n;
  for (size_t first = 0; first < n; first += block) {
    const size_t count = std::min(block, n - first);
    const Status loaded = data_.Load(first, count);
    if (!loaded.ok()) return loaded;
    const bool done = ThreadPool::Instance().Run(
        threads_, (count + kTile - 1) / kTile, cancel, [&](size_t task, int worker) {
          const size_t s0 = first + task * kTile, size = std::min(kTile, n - s0);
          body(s0, size,
               ForwardOutputs(net_, data_, parameters, s0, size,
                              forward_work_.data() + static_cast<size_t>(worker) * per_worker,
                              n <= kTile ? threads_ : 0));
        });
    if (!done) return Status::Canceled();
  }
  return Status::Ok();
}

Status Engine::Forward(const double* parameters, const Cancel& cancel, double* out) {
  return ForEachTile(parameters, cancel, [&](size_t s0, size_t size, const double* f) {
    for (size_t i = 0; i < size; ++i)
      for (size_t a = 0; a < net_.output_size; ++a)
        out[(s0 + i) * net_.output_size + a] = net_.output_scale * f[a * Tangents::kTile + i];
  });
}

Status Engine::Evaluate(const double* parameters, const Cancel& cancel, double* loss) {
  constexpr size_t kTile = Tangents::kTile;
  std::vector<double> partial((data_.sample_count + kTile - 1) / kTile, 0.0);
  const double* root = data_.root_weight();
  const Status status =
      ForEachTile(parameters, cancel, [&](size_t s0, size_t size, const double* f) {
        double sum = 0.0;
        for (size_t a = 0; a < net_.output_size; ++a) {
          const double* y = data_.Targets(a, s0);
          for (size_t i = 0; i < size; ++i) {
            const double r = (root == nullptr ? 1.0 : root[s0 + i]) *
                             (net_.output_scale * f[a * kTile + i] - y[i]);
            sum += 0.5 * r * r;
          }
        }
        partial[s0 / kTile] = sum;
      });
  if (!status.ok()) return status;
  *loss = 0.0;
  for (const double value : partial) *loss += value;
  return std::isfinite(*loss) ? Status::Ok() : Status::NonFinite(0);
}

Status Engine::Linearize(const double* parameters, Curvature curvature, double decay,
                         double* scaling, const Cancel& cancel, Linearization* result,
                         Precision precision, double exact_measure_below,
                         const std::vector<uint32_t>* subset) {
  const size_t p = net_.parameter_count, n = data_.sample_count;
  const double start = Now();
  double curvature_seconds = 0.0;
  curvature_ = Curvature::kNone;  // until the new one is whole
  precision_ = Precision::kDouble;
  factored_ = -1.0;
  solved_ = false;
  // A run that goes over to all samples must not hold the few.
  const bool free = curvature == Curvature::kMatrixFree;
  const bool single = curvature == Curvature::kPrimal && precision == Precision::kSingle;
  const bool few = subset != nullptr && (free || single);
  if (!few)
    subset_.reset();
  else if (subset_ == nullptr)
    subset_ = std::make_unique<Subset>(net_, threads_);
  if (curvature == Curvature::kOrthogonal)
    return LinearizeOrthogonal(parameters, decay, scaling, cancel, result);
  const bool by_samples = few && single && SampleSystem::Pays(subset->size() * net_.output_size, p);
  Resize(&parameters_, p);
  Copy(p, parameters, parameters_.data(), threads_);
  Resize(&gradient_, p);
  Fill(p, 0.0, gradient_.data(), threads_);
  double loss = 0.0;

  if (single) precision_ = Precision::kSingle;
  if (curvature == Curvature::kPrimal) {
    // A run that falls back to double precision must not hold both systems.
    if (single) {
      gram_.Release();
      system_.Release();
    }
    if (!single || by_samples) {
      single_gram_.Release();
      single_.Release();
    }
    if (!by_samples) samples_.Release();
  }
  std::vector<double>& diagonal = result->diagonal;
  diagonal.clear();
  if (few) {
    Status status = subset_->data.ReserveSubset(data_, subset->size());
    if (status.ok() && by_samples) status = samples_.Reserve(subset->size());
    if (!status.ok()) return status;
  }
  size_t taken = 0;
  if (free) {
    products_.SetParameters(parameters);
    diagonal.assign(p, 0.0);
  } else if (single) {
    products_.SetParameters(parameters);
    const Status status = by_samples ? Status::Ok() : single_.Reserve(p);
    if (!status.ok()) return status;
  } else if (curvature != Curvature::kNone) {
    const Status status =
        system_.Reserve(curvature == Curvature::kPrimal ? p : n * net_.output_size);
    if (!status.ok()) return status;
  }
  // diag G, unless G has it
  double* squares = by_samples ? samples_.diagonal()
                    : single   ? single_.diagonal()
                               : diagonal.data();
  // A fresh scaling starts from all samples: a column that a subset does not see would be 1 for
  // good.
  std::vector<double> every;
  if (few && scaling != nullptr && std::find(scaling, scaling + p, 0.0) != scaling + p)
    every.assign(p, 0.0);
  const size_t block = curvature == Curvature::kDual ? n : BlockSize();
  for (size_t first = 0; first < n; first += block) {
    Status status =
        tangents_.Compute(parameters, first, std::min(block, n - first), true, cancel, &loss);
    if (!status.ok()) return status;
    if (!std::isfinite(loss)) return Status::NonFinite(0);
    status = tangents_.AddTransposeProduct({}, cancel, gradient_.data());
    if (!status.ok()) return status;
    if ((free || single) && (!few || !every.empty())) {
      const double before = Now();
      status = tangents_.AddDiagonal(cancel, few ? every.data() : squares);
      curvature_seconds += Now() - before;
      if (!status.ok()) return status;
    }
    if (few) {
      const size_t from = taken, end = first + std::min(block, n - first);
      while (taken < subset->size() && (*subset)[taken] < end) ++taken;
      subset_->data.Take(data_, subset->data() + from, taken - from, from);
    } else if (curvature == Curvature::kPrimal) {
      const double before = Now();
      status = single ? single_gram_.Add(tangents_, first == 0, cancel, &single_.matrix())
                      : gram_.Add(tangents_, first == 0, cancel, &system_.matrix());
      curvature_seconds += Now() - before;
      if (!status.ok()) return status;
    }
  }
  if (!AllFinite(p, gradient_.data(), threads_)) return Status::NonFinite(1);

  // Of J~ alone, before the decay joins the gradient: the measure is that of the residuals'
  // columns.
  const double residual_norm = std::sqrt(2.0 * loss);
  result->gradient_cosine = std::nan("");
  if (few) {
    const double before = Now();
    const Status status = FormSubset(parameters, curvature, cancel, squares);
    if (!status.ok()) return status;
    for (size_t j = 0; j < every.size(); ++j) {
      if (!std::isfinite(every[j])) return Status::NonFinite(2);
      scaling[j] = std::max(scaling[j], every[j]);
    }
    curvature_seconds += Now() - before;
  }
  if (single && !by_samples) single_gram_.Scales(single_.scales());
  if (curvature == Curvature::kPrimal || free) {
    const bool whole = curvature == Curvature::kPrimal && !single;
    const Status status =
        TakeDiagonal(whole ? system_.matrix().upper() : squares, whole ? p + 1 : 1, residual_norm,
                     scaling, &result->gradient_cosine);
    if (!status.ok()) return status;
  } else if (curvature == Curvature::kDual) {
    const double before = Now();
    Status status =
        MeasureDual(residual_norm, exact_measure_below, cancel, scaling, &result->gradient_cosine);
    if (!status.ok()) return status;
    status = kernel_.Form(tangents_, scaling, cancel, &system_.matrix());
    if (!status.ok()) return status;
    for (size_t i = 0; i < system_.matrix().n(); ++i)
      if (!std::isfinite(system_.matrix().at(i, i))) return Status::NonFinite(2);
    curvature_seconds += Now() - before;
  }
  AddDecay(decay);
  curvature_ = curvature;
  result->loss = loss;
  result->curvature_seconds = curvature_seconds;
  result->pass_seconds = Now() - start - curvature_seconds;
  return Status::Ok();
}

void Engine::AddDecay(double decay) {
  if (decay == 0.0) return;
  ForEachPart(gradient_.size(), threads_, [&](size_t, size_t first, size_t last) {
    for (size_t j = first; j < last; ++j) gradient_[j] += decay * parameters_[j];
  });
}

Status Engine::TakeDiagonal(const double* diagonal, size_t stride, double residual_norm,
                            double* scaling, double* cosine) const {
  const size_t p = net_.parameter_count;
  for (size_t j = 0; j < p; ++j)
    if (!std::isfinite(diagonal[j * stride])) return Status::NonFinite(2);
  for (size_t j = 0; scaling != nullptr && j < p; ++j) {
    scaling[j] = std::max(scaling[j], diagonal[j * stride]);
    if (scaling[j] == 0.0) scaling[j] = 1.0;
  }
  *cosine = GradientCosine(gradient_, diagonal, stride, residual_norm);
  return Status::Ok();
}

Status Engine::MeasureDual(double residual_norm, double exact_below, const Cancel& cancel,
                           double* scaling, double* cosine) {
  UnitSquares squares;
  Status status = tangents_.SumSquares(cancel, &squares);
  if (!status.ok()) return status;
  size_t unit = 0;
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    double sum = 0.0;
    for (size_t o = 0; o < layer.outputs; ++o, ++unit)
      sum += squares.weights[unit] + squares.biases[unit];
    if (!std::isfinite(sum)) return Status::NonFinite(2);
    if (scaling == nullptr) continue;
    scaling[l] = std::max(scaling[l], sum / static_cast<double>(layer.parameter_count()));
    if (scaling[l] == 0.0) scaling[l] = 1.0;
  }
  *cosine = CosineBound(net_, gradient_.data(), squares, residual_norm, threads_);
  if (*cosine > exact_below) return Status::Ok();
  // All of diag G costs n p flops: what the measure alone asks for.
  const size_t p = net_.parameter_count;
  std::vector<double> diagonal(p, 0.0);
  status = tangents_.AddDiagonal(cancel, diagonal.data());
  if (!status.ok()) return status;
  *cosine = GradientCosine(gradient_, diagonal.data(), 1, residual_norm);
  return Status::Ok();
}

Status Engine::Product(const double* parameters, size_t count, const double* vectors,
                       const Cancel& cancel, double* out) {
  curvature_ = Curvature::kNone;  // the panels are used anew
  products_.SetParameters(parameters);
  return products_.Forward(count, vectors, cancel, out);
}

Status Engine::TransposeProduct(const double* parameters, size_t count, const double* vectors,
                                const Cancel& cancel, double* out) {
  curvature_ = Curvature::kNone;
  products_.SetParameters(parameters);
  return products_.Transpose(count, vectors, cancel, out);
}

Status Engine::Jacobian(const double* parameters, size_t first, size_t count, const Cancel& cancel,
                        double* out) {
  curvature_ = Curvature::kNone;
  constexpr size_t kTile = Tangents::kTile;
  const size_t p = net_.parameter_count, c = net_.output_size;
  std::vector<double> columns(std::min(count, kTile) * c * p);
  double loss = 0.0;
  for (size_t s0 = 0; s0 < count; s0 += kTile) {
    const size_t size = std::min(kTile, count - s0), rows = size * c;
    const Status status = tangents_.Compute(parameters, first + s0, size, false, cancel, &loss);
    if (!status.ok()) return status;
    tangents_.WriteColumns(columns.data());
    for (size_t i = 0; i < size; ++i)
      for (size_t a = 0; a < c; ++a) {
        double* row = out + ((s0 + i) * c + a) * p;
        for (size_t j = 0; j < p; ++j) row[j] = columns[j * rows + a * size + i];
      }
  }
  return Status::Ok();
}

size_t Engine::bytes() const {
  return data_.bytes() + tangents_.bytes() + gram_.bytes() + kernel_.bytes() + products_.bytes() +
         (subset_ == nullptr ? 0 : subset_->bytes()) + system_.bytes() + single_gram_.bytes() +
         single_.bytes() + samples_.bytes() + orthogonal_.bytes() + forward_work_.bytes() +
         (parameters_.capacity() + gradient_.capacity() + input_factor_.capacity()) *
             sizeof(double);
}

}  // namespace gaussflow
