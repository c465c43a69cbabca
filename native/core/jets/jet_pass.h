// Runs jets through a network for a tile of points: forward, back from the adjoints of the outputs'
// jets, and along a direction of the parameters. jet_tile.h joins it with the residual of a term.
//
// Arrays are [channel][point][unit], a row of units padded to RowWidth (row_product.h). A pass
// holds no memory of its own: the engine gives each worker's tile the same room.
#ifndef GAUSSFLOW_CORE_JETS_JET_PASS_H_
#define GAUSSFLOW_CORE_JETS_JET_PASS_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "jets/activation_series.h"
#include "jets/jet_channels.h"

namespace gaussflow {

// Weights packed for the products of all tiles of a call, and the biases, which are not copied.
class PackedWeights {
 public:
  // `back`: also for the pass back. False where the memory cannot be had.
  bool Pack(const Architecture& net, const double* parameters, bool back);
  const double* forward(size_t layer) const { return buffer_.data() + forward_[layer]; }
  const double* back(size_t layer) const { return buffer_.data() + back_[layer]; }
  const double* bias(const Layer& layer) const { return parameters_ + layer.bias_offset; }
  size_t bytes() const { return buffer_.bytes(); }
  static size_t Doubles(const Architecture& net, bool back);

 private:
  const double* parameters_ = nullptr;
  std::vector<size_t> forward_, back_;
  Buffer buffer_;
};

class JetPass {
 public:
  // For `points` points; `room` has Doubles() of them.
  JetPass(const Architecture& net, const JetChannels& channels, size_t points, double* room);
  static size_t Doubles(const Architecture& net, const JetChannels& channels, size_t points);

  // inputs: points x Q x d.
  void SetInputs(const double* inputs);
  // `derivatives` of the activations: 0 for the jets alone, 1 for Back, 2 for Along.
  void Forward(const PackedWeights& weights, size_t derivatives);
  // jets[o Q + q][point]: those of the outputs, times the output scale.
  void ReadOutputs(double* jets) const { Read(Inputs(net_.layers.size()), jets); }
  // From factor * adjoints[o Q + q][point] to the adjoints of the pre-activations of all layers.
  void Back(const PackedWeights& weights, const double* adjoints, double factor);
  // Derivatives of the outputs' jets along `direction`: first, and second behind, both as the jets.
  void Along(const PackedWeights& weights, const PackedWeights& direction, double* first,
             double* second);

  // Jets of a layer's inputs, and adjoints of its pre-activations; channel q of both is q times
  // ChannelSize numbers on.
  const double* Inputs(size_t layer) const { return room_ + inputs_[layer]; }
  const double* Adjoints(size_t layer) const { return room_ + adjoints_[layer]; }
  size_t ChannelSize(size_t units) const;
  size_t channels() const { return channels_.count(); }

 private:
  double* Jets(size_t layer) { return room_ + inputs_[layer]; }
  void Read(const double* jets, double* out) const;
  void AddBias(const Layer& layer, const double* bias, double* z) const;
  // s', s'', ... of a layer.
  void Slopes(size_t layer, double** slopes) const;

  const Architecture& net_;
  const JetChannels& channels_;
  const size_t points_;
  double* const room_;
  std::vector<size_t> inputs_, pre_activations_, slopes_, adjoints_;
  size_t along_ = 0, scratch_ = 0, widest_ = 0;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_PASS_H_
