// The tiles of the Gram builder's products: gram_tasks.cc cuts the work into them, and
// gram_builder.cc computes them.
#ifndef GAUSSFLOW_CORE_CURVATURE_GRAM_TILES_H_
#define GAUSSFLOW_CORE_CURVATURE_GRAM_TILES_H_

#include <cstddef>
#include <vector>

#include "curvature/gram_builder.h"
#include "pair_product.h"

namespace gaussflow::gram_tiles {

// Most bytes of each kind's vectors a sample in a task (256 and 384 pairs in double), and samples
// whose pair vectors are made at a time: together with the tile they stay in a second-level cache.
constexpr size_t kLeftBytes = 2048;
constexpr size_t kRightBytes = 3072;
constexpr size_t kChunk = 64;
// Samples whose pairs are made before they are laid out, a run of memory a panel.
constexpr size_t kLines = 8;
// Groups in a panel of each kind: the register tile of PairProduct.
constexpr size_t kLeftWide = 1;
constexpr size_t kRightWide = 3;

constexpr size_t RoundUp(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

template <typename T>
PanelShape<T> Shape(size_t pairs, size_t wide) {
  constexpr size_t kLanes = TangentRows<T>::kLanes;
  return {RoundUp(pairs, kLanes) / kLanes, wide, kChunk};
}

inline size_t PairCount(const std::vector<PairRun>& runs) {
  return runs.empty() ? 0 : runs.back().begin + runs.back().length;
}

}  // namespace gaussflow::gram_tiles

#endif  // GAUSSFLOW_CORE_CURVATURE_GRAM_TILES_H_
