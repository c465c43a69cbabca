// The native engine: data, forward passes, evaluation, linearization, solves and products
// (engine.h).
#include "engine.h"

#include <algorithm>
#include <cmath>

#include "clock.h"
#include "vectors.h"

namespace gaussflow {

Engine::Engine(Architecture architecture, int threads)
    : net_(std::move(architecture)),
      threads_(std::clamp(threads, 1, ThreadPool::kMaxThreads)),
      tangents_(net_, data_, threads_),
      products_(net_, data_, threads_),
      curvatures_(net_, threads_, data_, tangents_, products_, parameters_),
      curvature_(&curvatures_.none()) {}

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

template <typename Body>
Status Engine::ForEachTile(const double* parameters, const Cancel& cancel, const Body& body) {
  constexpr size_t kTile = Tangents::kTile;
  const size_t per_worker = 2 * net_.max_outputs() * kTile, n = data_.sample_count;
  if (!forward_work_.Reserve(per_worker * static_cast<size_t>(threads_)))
    return Status::Memory(per_worker * static_cast<size_t>(threads_) * sizeof(double));
  // All at once from memory, in blocks of whole tiles from a file.
  const size_t block = data_.from_file() ? Tangents::BlockSize(net_, n) : n;
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

LossTile Engine::TileOf(size_t s0, size_t size, const double* f) const {
  const double* root = data_.root_weight();
  return {size,
          net_.output_size,
          net_.output_scale,
          f,
          Tangents::kTile,
          data_.Targets(0, s0),
          data_.stride(),
          root == nullptr ? nullptr : root + s0};
}

Status Engine::Evaluate(const double* parameters, const Cancel& cancel, double* loss) {
  constexpr size_t kTile = Tangents::kTile;
  std::vector<double> partial((data_.sample_count + kTile - 1) / kTile, 0.0);
  const Status status =
      ForEachTile(parameters, cancel, [&](size_t s0, size_t size, const double* f) {
        partial[s0 / kTile] = ApplyLoss(net_.loss, TileOf(s0, size, f), nullptr);
      });
  if (!status.ok()) return status;
  *loss = 0.0;
  for (const double value : partial) *loss += value;
  return std::isfinite(*loss) ? Status::Ok() : Status::NonFinite(0);
}

Status Engine::Linearize(const double* parameters, const Request& request, double decay,
                         double* scaling, const Cancel& cancel, Linearization* result) {
  const size_t p = net_.parameter_count;
  const double start = Now();
  curvature_ = &curvatures_.none();  // until the new one is whole
  Resize(&parameters_, p);
  Copy(p, parameters, parameters_.data(), threads_);
  Resize(&gradient_, p);
  Fill(p, 0.0, gradient_.data(), threads_);
  *result = {};
  result->gradient_cosine = std::nan("");

  Curvature& next = curvatures_.Take(request);
  Status status = next.Begin(request, scaling);
  if (status.ok()) status = RunPasses(&next, cancel, result);
  if (!status.ok()) return status;
  const double before = Now();
  // The measure of the gradient is one of sums of squares.
  const double norm = net_.loss.sum_of_squares() ? std::sqrt(2.0 * result->loss) : std::nan("");
  status = next.Finish({gradient_, norm}, cancel, scaling, result);
  if (!status.ok()) return status;
  result->curvature_seconds += Now() - before;
  AddDecay(decay);
  curvature_ = &next;
  result->pass_seconds = Now() - start - result->curvature_seconds;
  return Status::Ok();
}

Status Engine::RunPasses(Curvature* curvature, const Cancel& cancel, Linearization* result) {
  const size_t n = data_.sample_count, block = curvature->BlockSize(n);
  has_residual_ = true;
  for (size_t first = 0; first < n; first += block) {
    const size_t count = std::min(block, n - first);
    Status status =
        tangents_.Compute(parameters_.data(), first, count, true, cancel, &result->loss);
    if (!status.ok()) return status;
    if (!std::isfinite(result->loss)) return Status::NonFinite(0);
    result->residual_square += tangents_.residual_square();
    has_residual_ = has_residual_ && tangents_.has_residual();
    if (has_residual_) status = tangents_.AddTransposeProduct({}, cancel, gradient_.data());
    if (!status.ok()) return status;
    const double before = Now();
    status = curvature->AddBlock({first, count, gradient_}, cancel);
    result->curvature_seconds += Now() - before;
    if (!status.ok()) return status;
  }
  const Status status = has_residual_ ? Status::Ok() : FormGradient(cancel);
  if (!status.ok()) return status;
  return AllFinite(gradient_.size(), gradient_.data(), threads_) ? Status::Ok()
                                                                 : Status::NonFinite(1);
}

Status Engine::FormGradient(const Cancel& cancel) {
  const size_t c = net_.output_size;
  std::vector<double> by_outputs(data_.sample_count * c);
  Status status =
      ForEachTile(parameters_.data(), cancel, [&](size_t s0, size_t size, const double* f) {
        std::vector<double> rows(c * size);
        LossSeeds seeds;
        seeds.gradient = rows.data();
        seeds.ld_gradient = size;
        ApplyLoss(net_.loss, TileOf(s0, size, f), &seeds);
        for (size_t a = 0; a < c; ++a)
          for (size_t i = 0; i < size; ++i) by_outputs[(s0 + i) * c + a] = rows[a * size + i];
      });
  if (!status.ok()) return status;
  products_.SetParameters(parameters_.data());
  return products_.Transpose(1, by_outputs.data(), cancel, gradient_.data());
}

void Engine::AddDecay(double decay) {
  if (decay == 0.0) return;
  ForEachPart(gradient_.size(), threads_, [&](size_t, size_t first, size_t last) {
    for (size_t j = first; j < last; ++j) gradient_[j] += decay * parameters_[j];
  });
}

Status Engine::Solve(const Damping& damping, const Cancel& cancel, double* step, Solution* result) {
  solved_ = false;
  Status status = curvature_->Factor(damping, cancel);
  if (!status.ok()) return status;
  const RightSide side = {gradient_.data(), has_residual_ ? tangents_.Residual().data : nullptr,
                          damping.decay, damping.scaling};
  status = curvature_->Solve(side, cancel, step, result);
  solved_ = status.ok();
  return status;
}

Status Engine::Accelerate(const double* velocity, const double* scaling, const Cancel& cancel,
                          double* acceleration) {
  const Curvature::Traits traits = curvature_->traits();
  if (!traits.accelerates || !solved_ || !curvature_->factored()) return Status::Misuse();
  const size_t n = data_.sample_count, block = curvature_->BlockSize(n);
  std::vector<double> second(block * net_.output_size);
  std::vector<double> sum(traits.reads_seeds ? 0 : net_.parameter_count, 0.0);
  for (size_t first = 0; first < n; first += block) {
    const size_t count = std::min(block, n - first);
    Status status = curvatures_.context().Panels(first, count, cancel);
    if (status.ok())
      status = tangents_.SecondDerivative(parameters_.data(), velocity, cancel, second.data());
    if (status.ok() && !traits.reads_seeds)
      status = tangents_.AddTransposeProduct({second.data(), count}, cancel, sum.data());
    if (!status.ok()) return status;
  }
  Solution solution;
  return curvature_->Solve({sum.data(), second.data(), 0.0, scaling}, cancel, acceleration,
                           &solution);
}

Status Engine::Product(const double* parameters, size_t count, const double* vectors,
                       const Cancel& cancel, double* out) {
  curvature_ = &curvatures_.none();  // the panels are used anew
  products_.SetParameters(parameters);
  return products_.Forward(count, vectors, cancel, out);
}

Status Engine::TransposeProduct(const double* parameters, size_t count, const double* vectors,
                                const Cancel& cancel, double* out) {
  curvature_ = &curvatures_.none();
  products_.SetParameters(parameters);
  return products_.Transpose(count, vectors, cancel, out);
}

Status Engine::Jacobian(const double* parameters, size_t first, size_t count, const Cancel& cancel,
                        double* out) {
  curvature_ = &curvatures_.none();
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
  return data_.bytes() + tangents_.bytes() + products_.bytes() + curvatures_.bytes() +
         forward_work_.bytes() + (parameters_.capacity() + gradient_.capacity()) * sizeof(double);
}

}  // namespace gaussflow
