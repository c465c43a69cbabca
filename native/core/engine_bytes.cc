// Implements the bytes of Engine (engine.h): those that it holds, and the estimate of them.
#include <algorithm>

#include "engine.h"

namespace gaussflow {

Footprint Engine::EstimateBytes(Sizes sizes, const std::vector<Formed>& turns) {
  using Pass = Tangents::Pass;
  const Architecture& net = sizes.net;
  const SlotCut slots = sizes.cut();
  std::vector<Pass> passes = {Pass::kTransposeProduct};
  double products = 0.0, hessian = 0.0;
  size_t sums = net.parameter_count, block = 0,
         loaded = slots.LargestBlock(Tangents::BlockSize(net, sizes.samples));
  for (const Formed& formed : turns) {
    sizes.formed = formed;
    const Curvature::Estimate one = CurvatureStore::EstimateOf(sizes);
    passes.insert(passes.end(), one.passes.begin(), one.passes.end());
    products = std::max(products, one.products);
    if (formed.hessian) {
      hessian = HessianProducts::EstimateBytes(sizes);
      loaded = std::max(loaded, HessianProducts::BlockSize(sizes));
    }
    sums = std::max(sums, one.sums);
    if (!one.passes_itself) block = std::max(block, one.block);
    loaded = std::max({loaded, slots.LargestBlock(one.block), one.loaded});
  }
  Footprint sum = CurvatureStore::EstimateBytes(sizes, turns);
  sum.data = Dataset::EstimateBytes(sizes, loaded);
  sum.workspaces +=
      products + hessian +
      BytesOf<double>(ForwardDoubles(net, sizes.threads) + SlotTree::Count(slots, kLosses)) +
      BytesOf<Tile>(TileCount(slots, {0, sizes.samples}, Tangents::kTile));
  if (turns.empty()) return sum;
  // And the parameters of the linearization, and its gradient.
  const size_t p = net.parameter_count;
  sum.workspaces += BytesOf<double>(2 * p + SlotTree::Count(slots, sums));
  if (block > 0)
    sum.workspaces += Tangents::EstimateBytes(net, sizes.threads, slots, block, passes);
  return sum;
}

size_t Engine::bytes() const {
  return data_.bytes() + tangents_.bytes() + products_.bytes() + hessian_.bytes() +
         curvatures_.bytes() + forward_work_.bytes() + sums_.bytes() + losses_.bytes() +
         tiles_.capacity() * sizeof(Tile) +
         (parameters_.capacity() + gradient_.capacity()) * sizeof(double);
}

}  // namespace gaussflow
