// The factors of the layer-wise Kronecker approximation G_l ~ B_l (x) A_l of the curvature (Martens
// and Grosse 2015): A_l = mean of h h^T over the samples, with the constant of the bias last,
// B_l = sum of delta delta^T over samples and outputs.
#include <algorithm>

#include "engine.h"
#include "gemm.h"

namespace gaussflow {

namespace {

constexpr size_t kRows = 128;  // of a factor, a task

struct Task {
  size_t layer;
  bool left;
  size_t first, count;
};

}  // namespace

size_t Engine::LayerFactorsSize() const {
  size_t size = 0;
  for (const Layer& layer : net_.layers)
    size += layer.right_size() * layer.right_size() + layer.outputs * layer.outputs;
  return size;
}

Status Engine::LayerFactors(const Cancel& cancel, double* out) {
  if (curvature_ != Curvature::kMatrixFree) return Status::Misuse();
  const size_t n = data_.sample_count, last = net_.layers.size() - 1, block = BlockSize();
  const size_t inputs_size = net_.layers[0].right_size() * net_.layers[0].right_size();
  // The inputs are the same at all parameters.
  const bool known = input_factor_.size() == inputs_size;
  std::vector<size_t> right, left;
  std::vector<Task> tasks;
  size_t at = 0;
  for (size_t l = 0; l <= last; ++l) {
    const Layer& layer = net_.layers[l];
    right.push_back(at);
    at += layer.right_size() * layer.right_size();
    left.push_back(at);
    at += layer.outputs * layer.outputs;
    if (l > 0 || !known)
      for (size_t k = 0; k < layer.inputs; k += kRows)
        tasks.push_back({l, false, k, std::min(kRows, layer.inputs - k)});
    for (size_t o = 0; o < layer.outputs; o += kRows)
      tasks.push_back({l, true, o, std::min(kRows, layer.outputs - o)});
  }
  std::fill_n(out, at, 0.0);
  for (size_t first = 0; first < n; first += block) {
    const size_t count = std::min(block, n - first);
    const Status status = MakePanels(first, count, cancel);
    if (!status.ok()) return status;
    const bool done =
        ThreadPool::Instance().Run(threads_, tasks.size(), cancel, [&](size_t index, int) {
          const Task& task = tasks[index];
          const Layer& layer = net_.layers[task.layer];
          if (task.left) {
            double* b = out + left[task.layer];
            for (size_t a = 0; a < net_.output_size; ++a) {
              const Panel delta = tangents_.Delta(task.layer, a);
              if (task.layer < last) {
                Gemm('T', 'N', task.count, layer.outputs, count, 1.0, delta.row(task.first),
                     delta.stride, delta.data, delta.stride, 1.0, b + task.first, layer.outputs);
              } else if (a >= task.first && a < task.first + task.count) {
                double sum = 0.0;
                for (size_t i = 0; i < count; ++i) sum += delta.data[i] * delta.data[i];
                b[a * layer.outputs + a] += sum;
              }
            }
            return;
          }
          const size_t size = layer.right_size();
          double* a = out + right[task.layer];
          const Panel h = tangents_.Input(task.layer);
          Gemm('T', 'N', task.count, layer.inputs, count,
               layer.factor * layer.factor / static_cast<double>(n), h.row(task.first), h.stride,
               h.data, h.stride, 1.0, a + task.first, size);
          if (!layer.bias) return;
          for (size_t k = task.first; k < task.first + task.count; ++k) {
            double sum = 0.0;
            for (size_t i = 0; i < count; ++i) sum += h.row(k)[i];
            const double mean = layer.factor * sum / static_cast<double>(n);
            a[layer.inputs * size + k] += mean;
            a[k * size + layer.inputs] += mean;
          }
          // One task of the layer writes the corner.
          if (task.first == 0) a[layer.inputs * size + layer.inputs] = 1.0;
        });
    if (!done) return Status::Canceled();
  }
  if (known) {
    std::copy(input_factor_.begin(), input_factor_.end(), out);
  } else {
    input_factor_.assign(out, out + inputs_size);
  }
  return Status::Ok();
}

}  // namespace gaussflow
