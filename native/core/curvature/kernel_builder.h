// Forms the tangent kernel K = J D^-1 J^T (n c x n c) without J, for kernel.h, from layer-wise
// products:
//   K[(i,a),(j,b)] = sum over layers of <delta^(i,a), delta^(j,b)> (factor^2 <h^i, h^j> + 1) / d,
// without the 1 where the layer has no bias, d the layer's entry of D. Rows are output-major inside
// (a * n + i). A layer's inputs and deltas are packed once, in the order in which the register tile
// reads them; a task owns the blocks of two sample tiles, whose both small products stay in its
// cache until their elementwise product is added to K.
#ifndef GAUSSFLOW_CORE_CURVATURE_KERNEL_BUILDER_H_
#define GAUSSFLOW_CORE_CURVATURE_KERNEL_BUILDER_H_

#include "architecture.h"
#include "buffer.h"
#include "pair_product.h"
#include "sizes.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "tangents.h"
#include "thread_pool.h"

namespace gaussflow {

class KernelBuilder {
 public:
  KernelBuilder(const Architecture& architecture, int threads)
      : net_(architecture), threads_(threads) {}

  // Fills the upper triangle of K from tangents that hold all samples. `layer_factors`: one d > 0 a
  // layer, null = 1.
  Status Form(const Tangents& tangents, const double* layer_factors, const Cancel& cancel,
              SymmetricMatrix* k);

  size_t bytes() const { return packed_.bytes() + scratch_.bytes(); }
  // bytes() after a kernel of `samples`.
  static double EstimateBytes(const Architecture& net, int threads, size_t samples);

 private:
  // A block of K for a pair of outputs, or the part of one on and above the diagonal: in panels.
  struct Block {
    size_t row, column, rows, columns;
    size_t stride;  // between the columns of its products
    bool triangle;
  };
  // Samples in panels, and panels in tiles of nearly one size.
  struct Cut {
    explicit Cut(size_t samples);
    Block At(size_t row, size_t column) const;  // tiles
    size_t TileSize() const;                    // numbers of one product

    size_t panels;
    size_t wide;  // panels of a tile
  };
  // K (+)= product * (scale * inner + shift); `first` overwrites.
  struct Fusion {
    double scale, shift;
    bool first;
  };

  static PanelShape<double> Shape(size_t panels, size_t depth);
  // Numbers of the packed operands, and of one worker's scratch.
  static size_t PackedDoubles(const Architecture& net, const Cut& cut);
  static size_t ScratchDoubles(const Architecture& net, const Cut& cut);
  Status Reserve(const Cut& cut);
  // Panels [first, last) of the samples; what is missing of the last one is 0.
  static void Pack(const Panel& from, size_t samples, size_t first, size_t last,
                   const PanelShape<double>& shape, double* to);
  // The products of the block's samples: out[column][row].
  static void Multiply(const PanelShape<double>& shape, const double* left, const double* right,
                       const Block& block, double* out);
  // to = from^T
  static void Turn(const Block& block, const double* from, double* to);
  // The block of outputs a and b; `product` and `inner` are [column][row].
  static void Add(const Fusion& fusion, const Block& block, size_t n, size_t a, size_t b,
                  const double* product, const double* inner, SymmetricMatrix* k);

  const Architecture& net_;
  int threads_;
  Buffer packed_;            // a layer's inputs, then its deltas for output 0, 1, ...
  Buffer scratch_;           // a worker's two products, and the inputs' turned round
  size_t scratch_size_ = 0;  // of one worker
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_KERNEL_BUILDER_H_
