// Implements the rank-k update of the Gram matrix by a block of rows (jet_gram.h).
#include "jets/jet_gram.h"

#include <algorithm>
#include <cstring>

#include "pair_product.h"
#include "simd.h"

namespace gaussflow {

namespace {

using Shape = PanelShape<double>;

constexpr size_t kGroups = 3;                      // of a panel
constexpr size_t kWide = kGroups * Shape::kLanes;  // parameters of a panel
constexpr size_t kPanels = 8;                      // of a side of a square
constexpr size_t kSide = kPanels * kWide;
// Rows summed at a time: a panel of them stays in the first-level cache.
constexpr size_t kChunk = 128;

size_t PanelCount(size_t order) { return Parts(order + 1, kWide); }

Shape ShapeOf(size_t panels, size_t rows) { return {panels * kGroups, kGroups, rows}; }

GAUSSFLOW_CLONES
void AddTo(size_t count, const double* from, double* to) {
  for (size_t i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace

size_t JetGram::Doubles(size_t order, size_t rows, int threads) {
  return ShapeOf(PanelCount(order), rows).Size() + kSide * kSide * static_cast<size_t>(threads);
}

Status JetGram::Reserve() {
  const size_t block = ShapeOf(PanelCount(order_), rows_).Size();
  const size_t scratch = kSide * kSide * static_cast<size_t>(threads_);
  if (!block_.Reserve(block)) return Status::Memory(block * sizeof(double));
  if (!scratch_.Reserve(scratch)) return Status::Memory(scratch * sizeof(double));
  return Status::Ok();
}

void JetGram::Put(size_t row, size_t count, const double* lines, size_t stride) {
  const size_t panels = PanelCount(order_), step = ShapeOf(panels, rows_).Stride();
  double* to = block_.data() + row * kWide;
  for (size_t p = 0; p < panels; ++p, to += step) {
    const size_t from = p * kWide, width = std::min(kWide, order_ + 1 - from);
    for (size_t i = 0; i < count; ++i) {
      const double* line = lines + i * stride + from;
      if (width == kWide) {
        std::memcpy(to + i * kWide, line, kWide * sizeof(double));
      } else {
        std::copy_n(line, width, to + i * kWide);
        std::fill_n(to + i * kWide + width, kWide - width, 0.0);
      }
    }
  }
}

// values[column][row], kSide apart, of the square whose rows and columns begin at these panels; on
// the diagonal only what is not below it.
void JetGram::AddSquare(size_t row_panel, size_t column_panel, size_t rows, double* values) const {
  const size_t panels = PanelCount(order_), step = ShapeOf(panels, rows_).Stride();
  const size_t height = std::min(kPanels, panels - row_panel);
  const size_t width = std::min(kPanels, panels - column_panel);
  for (size_t s0 = 0; s0 < rows; s0 += kChunk) {
    const size_t size = std::min(kChunk, rows - s0);
    const double* right = block_.data() + row_panel * step + s0 * kWide;
    const double* left = block_.data() + column_panel * step + s0 * kWide;
    if (row_panel != column_panel) {
      PairProduct(ShapeOf(height, rows_), right, ShapeOf(width, rows_), left, size, s0 > 0, values,
                  kSide);
      continue;
    }
    for (size_t r = 0; r < height; ++r)
      PairProduct(ShapeOf(1, rows_), right + r * step, ShapeOf(width - r, rows_), left + r * step,
                  size, s0 > 0, values + r * kWide * kSide + r * kWide, kSide);
  }
}

void JetGram::Scatter(size_t row_panel, size_t column_panel, const double* values, bool first,
                      SymmetricMatrix* g, double* gradient) const {
  const size_t i0 = row_panel * kWide, j0 = column_panel * kWide;
  for (size_t j = j0; j < std::min(order_ + 1, j0 + kSide); ++j) {
    const double* from = values + (j - j0) * kSide;
    const size_t end = std::min({order_, i0 + kSide, j + 1});
    if (end <= i0) continue;
    double* to = (j < order_ ? &g->at(0, j) : gradient) + i0;
    if (first) {
      std::copy_n(from, end - i0, to);
    } else {
      AddTo(end - i0, from, to);
    }
  }
}

Status JetGram::Add(size_t rows, bool first, const Cancel& cancel, SymmetricMatrix* g,
                    double* gradient) {
  const size_t side = Parts(PanelCount(order_), kPanels);
  const bool done = ThreadPool::Instance().Run(
      threads_, side * (side + 1) / 2, cancel, [&](size_t task, int worker) {
        // Squares of the upper triangle, column by column.
        size_t column = 0;
        while ((column + 1) * (column + 2) / 2 <= task) ++column;
        const size_t row = task - column * (column + 1) / 2;
        double* values = scratch_.data() + static_cast<size_t>(worker) * kSide * kSide;
        AddSquare(row * kPanels, column * kPanels, rows, values);
        Scatter(row * kPanels, column * kPanels, values, first, g, gradient);
      });
  return done ? Status::Ok() : Status::Canceled();
}

}  // namespace gaussflow
