// The tangent kernel K = J D^-1 J^T (n c x n c) without J, from layer-wise products:
//   K[(i,a),(j,b)] = sum over layers of <delta^(i,a), delta^(j,b)> (factor^2 <h^i, h^j> + 1) / d,
// without the 1 where the layer has no bias, d the layer's entry of D. Rows are output-major inside
// (a * n + i). A task owns the blocks of two sample tiles; both small products and their
// elementwise product stay in its cache.
#ifndef GAUSSFLOW_CORE_KERNEL_H_
#define GAUSSFLOW_CORE_KERNEL_H_

#include "architecture.h"
#include "buffer.h"
#include "status.h"
#include "symmetric_matrix.h"
#include "tangents.h"

namespace gaussflow {

class KernelBuilder {
 public:
  KernelBuilder(const Architecture& architecture, int threads)
      : net_(architecture), threads_(threads) {}

  // Fills the upper triangle of K from tangents that hold all samples. `layer_factors`: one d > 0 a
  // layer, null = 1.
  Status Form(const Tangents& tangents, const double* layer_factors, const Cancel& cancel,
              SymmetricMatrix* k);

  size_t bytes() const { return scratch_.bytes(); }

 private:
  const Architecture& net_;
  int threads_;
  Buffer scratch_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_KERNEL_H_
