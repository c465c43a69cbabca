// Describes the shape of a feed-forward network and of its flat parameter vector: W_1 row-major
// (out x in), b_1, W_2, b_2, ... The binding (arguments.cc) makes one from JavaScript for each
// engine, and passes, products and curvatures read it.
#ifndef GAUSSFLOW_CORE_ARCHITECTURE_H_
#define GAUSSFLOW_CORE_ARCHITECTURE_H_

#include <cstddef>
#include <vector>

#include "activations.h"
#include "loss/loss.h"

namespace gaussflow {

// z = factor * W h + b; h' = activation(z).
struct Layer {
  size_t inputs;
  size_t outputs;
  Activation activation;
  bool bias;
  double factor;
  size_t weight_offset;
  size_t bias_offset;

  // Width of the layer's right vector: its inputs, and the constant that the bias multiplies.
  size_t right_size() const { return inputs + (bias ? 1 : 0); }
  size_t parameter_count() const { return outputs * right_size(); }
};

struct Architecture {
  std::vector<Layer> layers;
  size_t input_size = 0;
  size_t output_size = 0;
  size_t parameter_count = 0;
  double output_scale = 1.0;
  Loss loss;  // what is sent back from the outputs

  // Targets of a sample.
  size_t target_size() const { return output_size / loss.outputs_per_target(); }
  // Whether row a of J~ reaches only unit a of the layer: the last one, where R is diagonal.
  bool apart(size_t layer) const { return layer + 1 == layers.size() && !loss.full(); }
  // Deltas of a layer for each row of J~ of a sample.
  size_t delta_rows(size_t layer) const { return apart(layer) ? 1 : layers[layer].outputs; }
  // Units of the widest layer, the inputs not among them: panels of tiles hold outputs alone.
  size_t max_outputs() const {
    size_t widest = 0;
    for (const Layer& layer : layers) widest = widest > layer.outputs ? widest : layer.outputs;
    return widest;
  }
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ARCHITECTURE_H_
