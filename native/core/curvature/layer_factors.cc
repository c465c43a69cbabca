// Implements the sums of the Kronecker factors of each layer (layer_factors.h), one task a block of
// a factor.
#include "curvature/layer_factors.h"

#include <algorithm>

#include "gemm.h"
#include "thread_pool.h"

namespace gaussflow {

namespace {

constexpr size_t kRows = 128;  // of a factor, a task

}  // namespace

size_t LayerFactorsSize(const Architecture& net) {
  size_t size = 0;
  for (const Layer& layer : net.layers)
    size += layer.right_size() * layer.right_size() + layer.outputs * layer.outputs;
  return size;
}

LayerFactorSums::LayerFactorSums(const Architecture& net, size_t samples, bool first_inputs,
                                 double* out)
    : net_(net), samples_(static_cast<double>(samples)) {
  std::fill_n(out, LayerFactorsSize(net), 0.0);
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    inputs_.push_back(out);
    out += layer.right_size() * layer.right_size();
    deltas_.push_back(out);
    out += layer.outputs * layer.outputs;
    if (l > 0 || first_inputs)
      for (size_t k = 0; k < layer.inputs; k += kRows)
        tasks_.push_back({l, false, k, std::min(kRows, layer.inputs - k)});
    for (size_t o = 0; o < layer.outputs; o += kRows)
      tasks_.push_back({l, true, o, std::min(kRows, layer.outputs - o)});
  }
}

Status LayerFactorSums::Add(const Tangents& tangents, int threads, const Cancel& cancel) const {
  const bool done =
      ThreadPool::Instance().Run(threads, tasks_.size(), cancel, [&](size_t index, int) {
        const Task& task = tasks_[index];
        task.deltas ? AddDeltas(task, tangents) : AddInputs(task, tangents);
      });
  return done ? Status::Ok() : Status::Canceled();
}

void LayerFactorSums::AddDeltas(const Task& task, const Tangents& tangents) const {
  const size_t units = net_.layers[task.layer].outputs, count = tangents.count();
  const bool apart = net_.apart(task.layer);
  double* b = deltas_[task.layer];
  for (size_t a = 0; a < net_.output_size; ++a) {
    const Panel delta = tangents.Delta(task.layer, a);
    if (!apart) {
      Gemm('T', 'N', task.count, units, count, 1.0, delta.row(task.first), delta.stride, delta.data,
           delta.stride, 1.0, b + task.first, units);
    } else if (a >= task.first && a < task.first + task.count) {
      double sum = 0.0;
      for (size_t i = 0; i < count; ++i) sum += delta.data[i] * delta.data[i];
      b[a * units + a] += sum;
    }
  }
}

void LayerFactorSums::AddInputs(const Task& task, const Tangents& tangents) const {
  const Layer& layer = net_.layers[task.layer];
  const size_t size = layer.right_size(), count = tangents.count();
  double* a = inputs_[task.layer];
  const Panel h = tangents.Input(task.layer);
  Gemm('T', 'N', task.count, layer.inputs, count, layer.factor * layer.factor / samples_,
       h.row(task.first), h.stride, h.data, h.stride, 1.0, a + task.first, size);
  if (!layer.bias) return;
  for (size_t k = task.first; k < task.first + task.count; ++k) {
    double sum = 0.0;
    for (size_t i = 0; i < count; ++i) sum += h.row(k)[i];
    const double mean = layer.factor * sum / samples_;
    a[layer.inputs * size + k] += mean;
    a[k * size + layer.inputs] += mean;
  }
}

void LayerFactorSums::Finish() const {
  for (size_t l = 0; l < net_.layers.size(); ++l) {
    const Layer& layer = net_.layers[l];
    if (layer.bias) inputs_[l][layer.inputs * layer.right_size() + layer.inputs] = 1.0;
  }
}

}  // namespace gaussflow
