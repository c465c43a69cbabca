// The tangents of a block of samples, transposed for the Gram builder and the sample rows: a
// layer's inputs h, or its deltas, of one sample side by side, so that products of pairs of them
// are contiguous (gram_builder.h), in double or in float. There is one array for each layer and
// kind, so that a loop over samples reads them in a stream.
//
// In float every unit is scaled by a power of two to a root mean square near 1 over the block of
// the last Measure. The result is T G T with the diagonal T of Scale(): no product of four such
// numbers over- or underflows, and scaling by powers of two is exact.
#ifndef GAUSSFLOW_CORE_CURVATURE_TANGENT_ROWS_H_
#define GAUSSFLOW_CORE_CURVATURE_TANGENT_ROWS_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "sizes.h"
#include "status.h"
#include "tangents.h"

namespace gaussflow {

template <typename T>
class TangentRows {
 public:
  // Numbers of one cache line: what loops over a row may read or write behind its end.
  static constexpr size_t kLanes = 64 / sizeof(T);

  TangentRows(const Architecture& architecture, int threads);

  // Computes the scales anew from the block in `tangents`; none in double.
  void Measure(const Tangents& tangents);
  // The scales in a row, as other ranks get them: those of a layer's inputs, then of its deltas.
  std::vector<double> scales() const;
  void set_scales(const std::vector<double>& scales);

  // Takes over the block in `tangents`.
  Status Fill(const Tangents& tangents, const Cancel& cancel);

  size_t count() const { return count_; }
  // A layer's right vector at a sample, its inputs times the layer's factor, then the bias's 1;
  // the next sample's is InputStride() behind it.
  const T* Inputs(size_t layer, size_t sample) const {
    return inputs_[layer].data() + sample * InputStride(layer);
  }
  size_t InputStride(size_t layer) const { return net_.layers[layer].right_size(); }
  // delta of the units for output 0, then for output 1, ...; in the last layer only that of output
  // a by unit a.
  const T* Deltas(size_t layer, size_t sample) const {
    return deltas_[layer].data() + sample * DeltaStride(layer);
  }
  size_t DeltaStride(size_t layer) const { return net_.delta_rows(layer) * net_.output_size; }
  // T_j of the weight (unit, input) or of the bias (input = layer.inputs).
  double Scale(size_t layer, size_t unit, size_t input) const {
    return input_scales_[layer][input] * delta_scales_[layer][unit];
  }
  void Release();
  size_t bytes() const;
  // bytes() with blocks of `count` samples; 0 = after Release.
  static double EstimateBytes(const Architecture& net, size_t count);

 private:
  // Numbers of a layer's arrays: a line more than the samples need, since loops read whole lines.
  static size_t InputCount(const Architecture& net, size_t layer, size_t samples) {
    return samples * net.layers[layer].right_size() + kLanes;
  }
  static size_t DeltaCount(const Architecture& net, size_t layer, size_t samples) {
    return samples * net.delta_rows(layer) * net.output_size + kLanes;
  }
  // Room for `count_` samples.
  Status Reserve();
  void FillInputs(const Tangents& tangents, size_t layer, size_t s0, size_t size);
  void FillDeltas(const Tangents& tangents, size_t layer, size_t s0, size_t size);

  const Architecture& net_;
  int threads_;
  size_t count_ = 0;
  std::vector<BufferOf<T>> inputs_;
  std::vector<BufferOf<T>> deltas_;
  std::vector<std::vector<double>> input_scales_;
  std::vector<std::vector<double>> delta_scales_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_TANGENT_ROWS_H_
