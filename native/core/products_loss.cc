// Implements the part of products G v = J^T R R^T J v between J v and J^T u (products.h): the
// curvature R R^T of the loss, the weights of the samples, and the deltas of the last layer.
// products.cc calls it for every tile of samples.
#include <algorithm>
#include <type_traits>

#include "panel_loops.h"
#include "products.h"

namespace gaussflow {

namespace {
constexpr size_t kTile = Tangents::kTile;
}  // namespace

template <typename T>
void ProductsOf<T>::ApplyCurvature(size_t s0, size_t size, int worker, T* image) {
  const size_t c = net_.output_size, panel = c * kTile;
  double* f = curved_.data() + static_cast<size_t>(worker) * CurvatureScratch(net_);
  double *z = f + panel, *turned = z + panel, *factor = turned + panel;
  size_t stride = 0;
  const T* outputs = Input(net_.layers.size(), &stride) + s0;
  for (size_t a = 0; a < c; ++a)
    for (size_t i = 0; i < size; ++i)
      f[a * kTile + i] = static_cast<double>(outputs[a * stride + i]);
  const LossTile tile = {
      size, c, net_.output_scale, f, kTile, data_.Targets(0, first_ + s0), data_.stride(), nullptr};
  LossSeeds seeds;
  seeds.factor = factor;
  seeds.z = z;
  seeds.ld_factor = seeds.ld_z = kTile;
  ApplyLoss(net_.loss, tile, &seeds);
  const bool full = net_.loss.full();
  const auto row = [&](size_t b, size_t a) { return factor + (full ? b * c + a : a) * kTile; };
  for (size_t b = 0; b < c; ++b) {
    double* sum = turned + b * kTile;
    std::fill_n(sum, size, 0.0);
    for (size_t a = full ? 0 : b; a < (full ? c : b + 1); ++a)
      for (size_t i = 0; i < size; ++i)
        sum[i] += row(b, a)[i] * static_cast<double>(image[a * kTile + i]);
  }
  for (size_t a = 0; a < c; ++a) {
    double* sum = f;  // of the outputs no more is read
    std::fill_n(sum, size, 0.0);
    for (size_t b = full ? 0 : a; b < (full ? c : a + 1); ++b)
      for (size_t i = 0; i < size; ++i) sum[i] += row(b, a)[i] * turned[b * kTile + i];
    for (size_t i = 0; i < size; ++i) image[a * kTile + i] = static_cast<T>(sum[i]);
  }
}

template <typename T>
void ProductsOf<T>::SeedTile(const Sweep& sweep, T* image, size_t slot, size_t s0, size_t width,
                             double root_scale) {
  // The weights of the samples belong to J~ only, and J~^T J~ has both roots.
  const double* root = sweep.directions != nullptr ? data_.root_weight() : nullptr;
  // In float the output scale stays out of the panels.
  constexpr bool kSingle = std::is_same_v<T, float>;
  const T scale = kSingle ? T(1) : static_cast<T>(net_.output_scale);
  const size_t last = net_.layers.size() - 1;
  for (size_t a = 0; a < net_.output_size; ++a) {
    T* u = image + a * kTile;
    if (root != nullptr)
      for (size_t i = 0; i < width; ++i) {
        const double r = root[first_ + s0 + i];
        u[i] *= static_cast<T>(root_scale * r * r);
      }
    MultiplyScaled(width, scale, u, Slope(last) + a * stride_ + s0,
                   Delta(slot, last) + a * block_ + s0);
  }
}

template void ProductsOf<double>::ApplyCurvature(size_t s0, size_t size, int worker, double* image);
template void ProductsOf<float>::ApplyCurvature(size_t s0, size_t size, int worker, float* image);
template void ProductsOf<double>::SeedTile(const Sweep& sweep, double* image, size_t slot,
                                           size_t s0, size_t width, double root_scale);
template void ProductsOf<float>::SeedTile(const Sweep& sweep, float* image, size_t slot, size_t s0,
                                          size_t width, double root_scale);

}  // namespace gaussflow
