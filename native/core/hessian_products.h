// Computes F'' V for blocks of vectors, F'' the exact Hessian of the sum loss (sample weights in,
// weight decay not), for the engine's hessianProduct (engine.cc). F'' is never formed: the product
// is the derivative of the gradient's passes along v (the R-operator, Pearlmutter 1994).
//
//   the gradient, once a block of samples:
//   g_L = alpha s l',   delta_l = g_l * s'(z_l),   g_(l-1) = factor_l W_l^T delta_l
//   its derivative along v = (V, v_b), once a vector:
//   zdot_l = factor_l (V_l h_(l-1) + W_l hdot_(l-1)) + v_b,   hdot_l = s'(z_l) * zdot_l
//   gdot_L = alpha s l'' (alpha hdot_L),   gdot_(l-1) = factor_l (V_l^T delta_l + W_l^T deltadot_l)
//   deltadot_l = gdot_l * s'(z_l) + g_l * s''(z_l) * zdot_l
//   F'' v, layer l: factor_l (deltadot_l h_(l-1)^T + delta_l hdot_(l-1)^T);  biases: deltadot_l
//
// The panels of the gradient (h, s', delta and g s'') of all samples are kept until the parameters
// change, where there is room (sweep.h). A product with kept panels costs one and a half times a
// product with G. Blocks, tasks and sums are those of products.h: no result depends on the number
// of threads.
#ifndef GAUSSFLOW_CORE_HESSIAN_PRODUCTS_H_
#define GAUSSFLOW_CORE_HESSIAN_PRODUCTS_H_

#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "dataset.h"
#include "sizes.h"
#include "slots.h"
#include "status.h"
#include "sweep.h"
#include "tangents.h"
#include "thread_pool.h"

namespace gaussflow {

class HessianProducts {
 public:
  // `parameters`: those of the products, p of them at every call of Multiply. `tree` joins the
  // slots of the data set, and may be used for other sums between the products.
  HessianProducts(const Architecture& architecture, const Dataset& data, int threads,
                  const std::vector<double>& parameters, SlotTree& tree)
      : net_(architecture), data_(data), threads_(threads), parameters_(parameters), tree_(tree) {}

  // Must be called when the parameters have changed.
  void Invalidate() { valid_ = false; }

  // out (count x p) = F'' V for the rows v of `vectors` (count x p). What is not finite passes
  // through.
  Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out);

  size_t bytes() const;
  // bytes() after a product with one vector. The samples are sizes.samples.
  static double EstimateBytes(const Sizes& sizes);
  // Samples that a product with one vector loads at a time.
  static size_t BlockSize(const Sizes& sizes);

 private:
  // Panels of the gradient: each has a row a unit.
  enum Kind : size_t { kValue, kSlope, kDelta, kBend, kKinds };

  // Numbers of each buffer.
  struct Room {
    size_t block;   // samples of a block
    bool kept;      // the panels of the gradient hold all samples
    size_t stride;  // samples of a row of them
    size_t panels, moving, scratch;
  };
  // What decides them: `group` vectors at a time.
  struct Shape {
    size_t samples;
    bool from_file;
    size_t group;
  };
  static Room RoomFor(const Architecture& net, size_t workers, const Shape& shape);
  static Room OneVector(const Sizes& sizes);

  void Layout();
  Status Reserve(size_t count, size_t group);
  // The panels of the gradient for `size` samples from first_ on, unless they are kept and valid.
  Status RunGradient(size_t size, const Cancel& cancel);
  void GradientTile(size_t s0, size_t size, int worker);
  // delta (the gradient by a layer's outputs until now, times `scale`) and bend of a layer.
  void TakeGradient(size_t layer, double scale, size_t s0, size_t size);
  // The `vectors` rows of `directions`, over the block in hand, to the rows of `sums`; false =
  // canceled.
  bool RunGroup(const double* directions, size_t vectors, size_t size, const Cancel& cancel,
                double* sums);
  // zdot_l times g_l s''(z_l) in the place of deltadot_l, and hdot_l; that of the last layer goes
  // to `image` ([output][kTile]), times the output scale.
  void ForwardTile(const double* direction, size_t slot, size_t s0, size_t size, double* image);
  // deltadot of the last layer from `image`.
  void SeedTile(size_t slot, size_t s0, size_t size, double* image);
  // deltadot of the other layers; `work`: max_outputs x kTile.
  void BackwardTile(const double* direction, size_t slot, size_t s0, size_t size, double* work);
  void AddOuter(const OuterPart& part, size_t slot, size_t size, double* sum);
  // The samples of a tile as their loss reads them.
  LossTile TileAt(size_t s0, size_t size);

  // Rows of panels, samples from the start of the block.
  const double* Input(size_t layer, size_t* stride);
  double* Row(size_t layer, Kind kind) {
    return panels_.data() +
           (kKinds * first_unit_[layer] + kind * net_.layers[layer].outputs) * stride_ + offset_;
  }
  // deltadot of a layer, and hdot of one but the last.
  double* DeltaDot(size_t slot, size_t layer) {
    return moving_.data() + (slot * moving_rows_ + first_unit_[layer]) * block_;
  }
  double* ValueDot(size_t slot, size_t layer) {
    return moving_.data() + (slot * moving_rows_ + units_ + first_unit_[layer]) * block_;
  }
  double* Scratch(int worker) {
    return scratch_.data() + static_cast<size_t>(worker) * net_.max_outputs() * Tangents::kTile;
  }
  size_t last() const { return net_.layers.size() - 1; }

  const Architecture& net_;
  const Dataset& data_;
  const int threads_;
  const std::vector<double>& parameters_;
  SlotTree& tree_;
  bool kept_ = false;   // the panels of the gradient hold all samples ...
  bool valid_ = false;  // ... at these parameters
  size_t units_ = 0;    // of all layers
  size_t moving_rows_ = 0;
  std::vector<size_t> first_unit_;  // of each layer, among all units
  std::vector<OuterPart> parts_;
  Buffer panels_;  // [layer][kind][unit][stride_]
  Buffer moving_;  // [slot][unit][block_]: deltadot of all units, then hdot of all but the last
  Buffer scratch_;
  size_t stride_ = 0;  // samples of a row of panels_
  size_t offset_ = 0;  // where the block begins in it
  size_t first_ = 0;   // first sample of the block
  bool begins_slot_ = true;
  size_t block_ = 0;  // most samples of a block
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_HESSIAN_PRODUCTS_H_
