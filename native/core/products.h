// Computes J V, J^T U and G V = J~^T J~ V for blocks of vectors, without J: for the engine's
// jacobianProduct and transposeProduct (engine.cc), and for the products with G of the curvatures
// (curvature/operator.cc and the systems in single precision). It runs tangents forward, one
// backward pass a vector, and an outer product a layer, all as matrix products.
//
//   zdot_l = factor_l (V_l h_(l-1) + W_l hdot_(l-1)) + v_l,   hdot_l = s_l'(z_l) * zdot_l
//   J v = alpha hdot_L
//
//   delta_L = alpha u * s_L',   delta_(l-1) = factor_l (W_l^T delta_l) * s_(l-1)'
//   J^T u, layer l: factor_l delta_l h_(l-1)^T
//
// One sweep over blocks of samples: the forward pass once a block, then all vectors while its
// panels are in cache. Panels are [unit][sample]. Every output has one task a block; blocks are
// added in order and slots (slots.h) by their tree, so nothing depends on the number of threads.
//
// In float, for G v of a subset of the samples: directions are scaled to a largest entry of 1,
// every block's sum joins the others in double. The error is that of float32 relative to |v|, some
// 1e-6.
#ifndef GAUSSFLOW_CORE_PRODUCTS_H_
#define GAUSSFLOW_CORE_PRODUCTS_H_

#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "dataset.h"
#include "sizes.h"
#include "status.h"
#include "sweep.h"
#include "tangents.h"
#include "thread_pool.h"

namespace gaussflow {

template <typename T>
class ProductsOf {
 public:
  // `tree` joins the slots of the data set, and may be used for other sums between the products.
  ProductsOf(const Architecture& architecture, const Dataset& data, int threads, SlotTree& tree)
      : net_(architecture), data_(data), threads_(threads), tree_(tree) {}

  // The parameters of the products that follow.
  void SetParameters(const double* parameters);

  // Frees what is held; SetParameters starts anew.
  void Release();

  // out (count x n c, sample-major) = J V for the rows v of `vectors` (count x p).
  Status Forward(size_t count, const double* vectors, const Cancel& cancel, double* out);
  // out (count x p) = J^T U for the rows u of `vectors` (count x n c, sample-major).
  Status Transpose(size_t count, const double* vectors, const Cancel& cancel, double* out);
  // out (count x p) = J~^T J~ V for the rows v of `vectors` (count x p), samples weighted.
  Status Gram(size_t count, const double* vectors, const Cancel& cancel, double* out);

  size_t bytes() const;
  // bytes() after SetParameters, and where `run` after a product G v with one vector. The samples
  // are sizes.used().
  static double EstimateBytes(const Sizes& sizes, bool run);
  // Samples that a product G v with one vector loads at a time.
  static size_t BlockSize(const Sizes& sizes);

 private:
  // What one sweep reads and writes; null = not part of it.
  struct Sweep {
    size_t count = 0;
    const double* directions = nullptr;    // count x p
    const double* coefficients = nullptr;  // count x n c
    double* images = nullptr;              // count x n c
    double* sums = nullptr;                // count x p
  };

  // Numbers of each buffer.
  struct Room {
    size_t block;   // samples of a block
    bool kept;      // the panels hold all samples
    size_t stride;  // samples of a panel row
    size_t panels, deltas, scratch, curved, inputs, passes;
  };
  // What decides them: `group` vectors at a time, and whether they are summed over the samples (J^T
  // u and G v) and the loss takes part (Curved).
  struct Shape {
    size_t samples;
    bool from_file;
    size_t group;
    bool sums, curved;
  };
  static Room RoomFor(const Architecture& net, size_t workers, const Shape& shape);
  static Shape GramShape(const Sizes& sizes);

  Status Run(const Sweep& sweep, const Cancel& cancel);
  // The forward pass over `size` samples from first_ on, unless its panels are kept and valid.
  Status RunForward(size_t size, const Cancel& cancel);
  // `vectors` of them from v0 on, over the block in hand; false = canceled. `weight`:
  // LargestSquare.
  bool RunGroup(const Sweep& sweep, const T* directions, size_t v0, size_t vectors, size_t size,
                double weight, const Cancel& cancel);
  // J v of one tile, or the coefficients of vector v, as [output][kTile] in `image` or beside it.
  T* ImageTile(const Sweep& sweep, const T* direction, size_t v, size_t s0, size_t width, T* image);
  // The deltas of the last layer from an image.
  void SeedTile(const Sweep& sweep, T* image, size_t slot, size_t s0, size_t width,
                double root_scale);
  Status Reserve(const Sweep& sweep, size_t group);
  // Largest weight of a sample, 1 without.
  double LargestSquare() const;
  // The rows of `vectors` as T; float: to a largest entry of 1, and what that took.
  const T* Directions(size_t count, const double* vectors);
  // The loss of the samples takes part: G v where R is not 1.
  bool Curved(const Sweep& sweep) const {
    return sweep.directions != nullptr && sweep.sums != nullptr && !net_.loss.sum_of_squares();
  }
  // image (tile, [output][kTile]) = R R^T image, R without the weights of the samples.
  void ApplyCurvature(size_t s0, size_t size, int worker, T* image);
  // Doubles of a worker for that: f, z and two products with R, and R.
  static size_t CurvatureScratch(const Architecture& net) {
    return (3 * net.output_size + net.loss.factor_rows(net.output_size)) * Tangents::kTile;
  }
  void ForwardTile(size_t s0, size_t size, int worker);
  // Tangents of one vector on one tile; leaves J v as [output][kTile] in the scratch it returns.
  T* TangentTile(const T* direction, size_t s0, size_t size, T* scratch) const;
  void BackwardTile(size_t slot, size_t s0, size_t size);
  void AddOuter(const OuterPart& part, size_t slot, size_t count, bool first, double scale,
                int worker, double* sum);

  // Rows of the stored panels, samples from the start of the block.
  const T* Input(size_t layer, size_t* stride) const;
  T* Slope(size_t layer) { return panels_.data() + slope_row_[layer] * stride_ + offset_; }
  const T* Slope(size_t layer) const {
    return panels_.data() + slope_row_[layer] * stride_ + offset_;
  }
  T* Delta(size_t slot, size_t layer) {
    return deltas_.data() + (slot * width_ + delta_row_[layer]) * block_;
  }
  const T* Delta(size_t slot, size_t layer) const {
    return deltas_.data() + (slot * width_ + delta_row_[layer]) * block_;
  }
  const T* Weights() const;
  void Layout();

  const Architecture& net_;
  const Dataset& data_;
  const int threads_;
  SlotTree& tree_;
  std::vector<double> parameters_;
  std::vector<T> rounded_;     // the parameters, in float
  std::vector<T> directions_;  // float
  std::vector<double> scales_;
  bool kept_ = false;   // the panels hold all samples ...
  bool valid_ = false;  // ... at these parameters
  size_t width_ = 0;    // units of all layers
  std::vector<size_t> input_row_, slope_row_, delta_row_;
  std::vector<OuterPart> parts_;
  BufferOf<T> inputs_;  // of the network, in float, rows of stride_ samples
  BufferOf<T> panels_;  // h_1.. and slopes, rows of stride_ samples
  BufferOf<T> deltas_;  // [slot][unit][block_]
  BufferOf<T> scratch_;
  Buffer curved_;      // of ApplyCurvature
  Buffer passes_;      // of the forward pass in double, where the panels are float
  size_t stride_ = 0;  // samples of a panel row
  size_t offset_ = 0;  // where the block begins in it
  size_t first_ = 0;   // first sample of the block
  bool begins_slot_ = true;
  size_t block_ = 0;  // most samples of a block
};

using Products = ProductsOf<double>;
using SingleProducts = ProductsOf<float>;

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_PRODUCTS_H_
