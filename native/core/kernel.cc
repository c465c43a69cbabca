#include "kernel.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "blas.h"
#include "simd.h"

namespace gaussflow {

namespace {

constexpr size_t kTile = 192;
// A tile is formed in groups of columns: on the diagonal each ends with its last column's row.
constexpr size_t kGroup = 96;

// sum (+)= product * (scale * inner + shift), over one tile with common strides.
GAUSSFLOW_CLONES
void FuseRow(size_t n, const double* product, const double* inner, double scale, double shift,
             double* sum) {
  for (size_t i = 0; i < n; ++i) sum[i] += product[i] * (scale * inner[i] + shift);
}

}  // namespace

Status KernelBuilder::Form(const Tangents& tangents, const double* layer_factors,
                           const Cancel& cancel, SymmetricMatrix* k) {
  const size_t n = tangents.count(), outputs = net_.output_size, order = k->n();
  const size_t last = net_.layers.size() - 1;
  const size_t per_tile = kTile * kTile;
  // The sum of every output pair, one inner product of inputs, one of deltas.
  const size_t per_worker = (outputs * outputs + 2) * per_tile;
  const size_t total = per_worker * static_cast<size_t>(threads_);
  if (!scratch_.Reserve(total)) return Status::Memory(total * sizeof(double));
  std::vector<std::pair<size_t, size_t>> tiles;
  for (size_t j = 0; j < n; j += kTile)
    for (size_t i = 0; i <= j; i += kTile) tiles.emplace_back(i, j);

  const bool done =
      ThreadPool::Instance().Run(threads_, tiles.size(), cancel, [&](size_t task, int worker) {
        const auto [i0, j0] = tiles[task];
        const size_t rows = std::min(kTile, n - i0), columns = std::min(kTile, n - j0);
        double* sums = scratch_.data() + static_cast<size_t>(worker) * per_worker;
        double* inner = sums + outputs * outputs * per_tile;
        double* product = inner + per_tile;
        std::fill_n(sums, outputs * outputs * per_tile, 0.0);
        for (size_t l = 0; l <= last; ++l) {
          const Layer& layer = net_.layers[l];
          const double d = layer_factors == nullptr ? 1.0 : layer_factors[l];
          const double scale = layer.factor * layer.factor / d, shift = layer.bias ? 1.0 / d : 0.0;
          const Panel h = tangents.Input(l);
          const auto product_of = [&](const double* left, size_t left_stride, const double* right,
                                      size_t right_stride, size_t depth, bool triangle,
                                      double* out) {
            const size_t group = triangle ? kGroup : kTile;
            for (size_t j = 0; j < columns; j += group) {
              const size_t end = std::min(columns, j + group);
              blas::Gemm('N', 'T', triangle ? end : rows, end - j, depth, 1.0, left + i0,
                         left_stride, right + j0 + j, right_stride, 0.0, out + j * kTile, kTile);
            }
          };
          // Different outputs need the whole of a diagonal tile, and so does their inner product.
          product_of(h.data, h.stride, h.data, h.stride, layer.inputs, i0 == j0 && outputs == 1,
                     inner);
          for (size_t a = 0; a < outputs; ++a) {
            for (size_t b = 0; b < outputs; ++b) {
              if (l == last && a != b)
                continue;                       // different outputs share no unit of the last layer
              if (i0 == j0 && b < a) continue;  // their entries stand below the diagonal of K
              // On the diagonal the mirror image of a pair of outputs is another entry of K.
              const bool triangle = i0 == j0 && a == b;
              const Panel da = tangents.Delta(l, a), db = tangents.Delta(l, b);
              product_of(da.data, da.stride, db.data, db.stride, l == last ? 1 : layer.outputs,
                         triangle, product);
              double* sum = sums + (a * outputs + b) * per_tile;
              for (size_t j = 0; j < columns; ++j) {
                const size_t size = triangle ? j + 1 : rows;
                FuseRow(size, product + j * kTile, inner + j * kTile, scale, shift,
                        sum + j * kTile);
              }
            }
          }
        }
        for (size_t a = 0; a < outputs; ++a) {
          for (size_t b = 0; b < outputs; ++b) {
            const double* sum = sums + (a * outputs + b) * per_tile;
            for (size_t j = 0; j < columns; ++j) {
              for (size_t i = 0; i < rows; ++i) {
                const size_t row = a * n + i0 + i, column = b * n + j0 + j;
                // On a diagonal tile both (i,j) and (j,i) are here; off it, the mirror image is
                // only here.
                if (row <= column) {
                  k->upper()[column * order + row] = sum[j * kTile + i];
                } else if (i0 != j0) {
                  k->upper()[row * order + column] = sum[j * kTile + i];
                }
              }
            }
          }
        }
      });
  return done ? Status::Ok() : Status::Cancelled();
}

}  // namespace gaussflow
