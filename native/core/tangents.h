// Runs the forward and backward passes over a range of samples and holds their results: layer
// inputs h and the derivatives delta_l^a of output a by the pre-activations of layer l. Engine
// (engine.cc) runs them for evaluations and linearizations. The Jacobian's row is, layer by layer,
// the outer product delta_l h_(l-1)^T, so the builders in curvature/ form the curvatures from these
// panels, and J itself is never stored.
//
// Panels are [unit][sample], samples contiguous. Passes run in tiles of kTile samples, each owned
// by one task.
#ifndef GAUSSFLOW_CORE_TANGENTS_H_
#define GAUSSFLOW_CORE_TANGENTS_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "dataset.h"
#include "slots.h"
#include "status.h"
#include "thread_pool.h"

namespace gaussflow {

// A row-major matrix of [unit][sample] with its row stride.
struct Panel {
  const double* data = nullptr;
  size_t stride = 0;
  const double* row(size_t unit) const { return data + unit * stride; }
};

class Tangents {
 public:
  static constexpr size_t kTile = kMostTile;

  Tangents(const Architecture& architecture, const Dataset& data, int threads)
      : net_(architecture), data_(data), threads_(threads) {}

  // The passes over a block that need scratch.
  enum class Pass { kCompute, kTransposeProduct, kDiagonal, kProduct, kSecondDerivative };

  // Doubles that one sample takes in the panels.
  static size_t DoublesPerSample(const Architecture& net);
  // Samples that a pass over `count` of them takes at a time, from sizes alone.
  static size_t BlockSize(const Architecture& net, size_t count);

  // Runs the passes over samples [first, first + count): the rows of J~ = sqrt(s) R^T J and z~ of
  // the loss. Not `weighted`: rows of J itself, and no loss. All of these samples are selected.
  Status Compute(const double* parameters, size_t first, size_t count, bool weighted,
                 const Cancel& cancel);
  // Writes s r, the gradient of the loss by the predictions, where Residual() stood: the
  // coefficients of the gradient with rows of J.
  Status TakeGradients(const Cancel& cancel);
  // Selects the samples [first, first + count) of those computed, which are whole tiles (slots.h):
  // what follows is of these samples alone.
  void Select(size_t first, size_t count);
  // Samples whose panels are held; all of them may be those of the data set.
  size_t held() const { return held_; }

  size_t count() const { return count_; }
  // Input h of a layer: inputs x samples.
  Panel Input(size_t layer) const;
  // delta of row `a` of J~: outputs x samples; where that reaches only unit a of the layer
  // (Architecture::apart), the one row of this unit.
  Panel Delta(size_t layer, size_t a) const;
  // z~: output x samples.
  Panel Residual() const { return {residual_.data() + at_, held_}; }
  // Adds the loss, tile by tile.
  void AddLoss(double* loss) const;
  // |z~|^2 of these samples, for losses other than squared error. Where it is not finite z~ cannot
  // stand for the gradient.
  double residual_square() const { return residual_square_; }
  bool has_residual() const;
  // Samples of a tile at s0, whose outputs f stand in the panels, as a loss wants them.
  LossTile TileAt(size_t s0, size_t size) const;

  // out (p) += sum over samples and outputs of coefficient(a, i) * row (a, i) of J; null = the
  // residual z~.
  Status AddTransposeProduct(Panel coefficients, const Cancel& cancel, double* out);
  // diagonal (p) += the diagonal of J^T J.
  Status AddDiagonal(const Cancel& cancel, double* diagonal);
  // squares (two numbers a unit, layer after layer) += the sum of that diagonal over the weights of
  // the unit, and its entry of the unit's bias (0 without one): from |h|^2 and delta^2, no work a
  // parameter.
  Status AddUnitSquares(const Cancel& cancel, double* squares);
  // out[a][i] = row (a, i) of J~ times `vector` (p); stride = count(). From the panels that stand,
  // without a pass or memory of its own: at other parameters, or for many vectors, see Products.
  Status Product(const double* vector, const Cancel& cancel, double* out);

  // out[b][i] = row b of sqrt(s) R^T psi_vv of sample i, psi_vv the second derivative of the
  // predictions along `vector` (p): psi(w + t v) = psi + t J v + t^2/2 psi_vv + ... Forward over
  // forward; stride = count().
  Status SecondDerivative(const double* parameters, const double* vector, const Cancel& cancel,
                          double* out);

  // out = the rows of J~ as a column-major matrix of count() * outputs rows, row a * count() + i.
  void WriteColumns(double* out) const;

  size_t bytes() const;
  // bytes() after Compute and those passes over samples in blocks of at most `most`.
  static double EstimateBytes(const Architecture& net, int threads, const SlotCut& slots,
                              size_t most, const std::vector<Pass>& passes);

 private:
  struct UnitBlock {
    size_t layer;
    size_t first;
    size_t count;
  };

  Status ReservePanels();
  void ForwardTile(const double* parameters, const Tile& tile, double* slopes);
  // The loss of the samples, and |z~|^2 where the loss is not a sum of squares.
  struct TileSums {
    double loss, square;
  };
  TileSums SeedTile(size_t s0, size_t size, const double* slopes);
  void SeedUnits(size_t s0, size_t size, const double* slopes);
  // row b of out = that of sqrt(s) R^T values, values [output][kTile]; `scratch`: LossScratch().
  void ApplyFactor(size_t s0, size_t size, const double* values, double* scratch, double* out);
  static size_t LossScratch(const Architecture& net);
  void BackwardTile(const double* parameters, size_t s0, size_t size, const double* slopes);
  std::vector<UnitBlock> UnitBlocks() const;
  // For the products of one tile: all threads where it is the only one, else 0.
  int TileThreads() const { return count_ <= kTile ? threads_ : 0; }
  // Doubles of a worker for a pass over a block of `count` samples.
  static size_t ScratchDoubles(const Architecture& net, Pass pass, size_t count);
  // |z~|^2 of each tile is for losses whose |z~|^2 is not twice their value.
  static size_t PartialDoubles(const Architecture& net, size_t tiles);
  Status ReserveScratch(Pass pass);
  double* Scratch(int worker) {
    return scratch_.data() + static_cast<size_t>(worker) * scratch_size_;
  }
  double* DeltaRow(size_t layer, size_t a, size_t unit);

  const Architecture& net_;
  const Dataset& data_;
  int threads_;
  // The panels hold the samples [first_ - at_, first_ - at_ + held_), of which [first_, first_ +
  // count_) are selected.
  size_t first_ = 0;
  size_t count_ = 0;
  size_t at_ = 0;
  size_t held_ = 0;
  std::vector<Buffer>
      inputs_;  // of layers 1.. (layer 0 reads the data set); index L holds the outputs f
  std::vector<Buffer> deltas_;  // [a][unit][sample]; the last layer [a][sample]
  Buffer residual_;
  Buffer scratch_;
  size_t scratch_size_ = 0;
  std::vector<Tile> tiles_;      // of the samples held, counted from the first of them
  std::vector<double> partial_;  // of each tile: the loss; then of each |z~|^2
  size_t first_tile_ = 0;        // of those selected
  size_t end_tile_ = 0;
  double residual_square_ = 0.0;
};

// factor * h W^T + beta z to z (size samples x outputs, column stride ldz), W of `weights` (p). One
// tile of samples is one task, and so is its product, unless W is as large as a large vector and
// `threads` > 0: then threads share it. Callers that have one tile alone give their threads, the
// others 0.
void MultiplyByWeights(const Layer& layer, const double* weights, double factor, size_t size,
                       const double* h, size_t ldh, double beta, double* z, size_t ldz,
                       int threads);

// z = factor * h W^T + b.
void PreActivations(const Layer& layer, const double* parameters, size_t size, const double* h,
                    size_t ldh, double* z, size_t ldz, int threads);

// z = factor * h W^T + b, then the activation; slope (or null) receives its derivative.
void ApplyLayer(const Layer& layer, const double* parameters, size_t size, const double* h,
                size_t ldh, double* z, size_t ldz, double* slope, size_t ld_slope, int threads = 0);

// Forward pass alone on samples [first, first + count): f as [output][sample] with stride kTile at
// the start of `work`, which holds 2 * max_outputs * kTile doubles. count <= kTile; threads as in
// MultiplyByWeights. Returns where the outputs stand.
const double* ForwardOutputs(const Architecture& net, const Dataset& data, const double* parameters,
                             size_t first, size_t count, double* work, int threads);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_TANGENTS_H_
