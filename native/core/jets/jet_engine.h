// JetEngine does the arithmetic of one network on residuals that contain its derivatives, as
// src/backend/jet-engine.ts describes it, without Node: it holds the points of every term, the
// passes of jets over them, the gradient, and the Gram matrix of its last linearization. The
// binding (jet_engine_object.h) owns one for each JavaScript engine and makes one call at a time.
//
// Points go through in tiles, each one task; the rows of several tiles make a block, which is added
// to the matrix before the next is formed. Tiles and blocks depend on the problem's sizes alone, so
// that results are the same for every number of threads.
#ifndef GAUSSFLOW_CORE_JETS_JET_ENGINE_H_
#define GAUSSFLOW_CORE_JETS_JET_ENGINE_H_

#include <functional>
#include <vector>

#include "architecture.h"
#include "curvature/curvature.h"
#include "curvature/matrix_solver.h"
#include "jets/jet_gram.h"
#include "jets/jet_tile.h"
#include "sizes.h"
#include "status.h"

namespace gaussflow {

class JetEngine {
 public:
  JetEngine(Architecture net, std::vector<JetTerm> terms, size_t unknowns, int threads);

  size_t parameter_count() const { return net_.parameter_count + unknowns_; }
  size_t row_count() const { return row_count_; }
  int threads() const { return threads_; }
  const Architecture& architecture() const { return net_; }
  const std::vector<JetTerm>& terms() const { return terms_; }
  // Replaces the points of a term, as many as before, and ends the linearization; the factor stays.
  Status Load(size_t term, const double* inputs, const double* auxiliary);

  // Half the sum of squares of all factors times residuals.
  Status Evaluate(const double* parameters, const Cancel& cancel, double* loss);
  // gradient() = J^T r + decay w, and with `curvature` G = J^T J. scaling: state of the running
  // maximum (p), updated in place, or null.
  Status Linearize(const double* parameters, bool curvature, double decay, double* scaling,
                   const Cancel& cancel, Linearization* result);
  const std::vector<double>& gradient() const { return gradient_; }
  // Those of the last linearization; empty before the first.
  const std::vector<double>& parameters() const { return parameters_; }
  // Whether a linearization with curvature stands.
  bool holds() const { return holds_; }
  // The matrix of that linearization.
  MatrixSolver& solver() { return solver_; }

  // step (p) = -(G + decay I + mu D + correction)^-1 gradient.
  Status Solve(const Damping& damping, const Cancel& cancel, double* step, Solution* result);
  // With the factor of the last Solve: acceleration = -(G + decay I + mu D)^-1 J^T r_vv, r_vv the
  // second derivative of the residuals along velocity (p).
  Status Accelerate(const double* velocity, const Cancel& cancel, double* acceleration);
  // x = (G + decay I + mu D)^-1 v with the factor of the last Solve, which stays until the next
  // linearization with curvature, not refined.
  Status DampedInverse(const double* v, const Cancel& cancel, double* x);

  // Factor times residual of every row, in the order term, point, residual.
  Status Residuals(const double* parameters, const Cancel& cancel, double* out);
  // Rows [first, first + count) of J, p numbers each.
  Status Jacobian(const double* parameters, size_t first, size_t count, const Cancel& cancel,
                  double* out);
  // Jets of the outputs at any points: out points x c x Q from inputs points x Q x d.
  Status OutputJets(const double* parameters, const JetChannels& channels, size_t points,
                    const double* inputs, const Cancel& cancel, double* out);

  // Flops (cost.h) of a pass forward over all points, of one point with these channels, and of a
  // linearization.
  double PassFlops() const;
  double PointFlops(const JetChannels& channels) const;
  double LinearizeFlops(bool curvature) const;

  size_t bytes() const;
  // bytes() once all of its calls were made, but for OutputJets; points in `terms` are not read.
  static Footprint EstimateBytes(const Architecture& net, const std::vector<JetTerm>& terms,
                                 size_t unknowns, int threads);

 private:
  // Tiles [first, end), whose rows make a block of the matrix.
  struct Block {
    size_t first;
    size_t end;
    size_t row;  // of J, where it begins
    size_t rows;
  };
  // A tile at work, and room for kLines rows of J.
  using Body = std::function<void(JetTile& tile, double* lines)>;

  static std::vector<TilePlace> CutTiles(const Architecture& net,
                                         const std::vector<JetTerm>& terms);
  static std::vector<Block> CutBlocks(const std::vector<TilePlace>& tiles,
                                      const std::vector<JetTerm>& terms);
  static size_t LargestBlock(const std::vector<Block>& blocks);
  static size_t SumParts(size_t tiles);
  // Doubles of one of them, whole cache lines.
  static size_t SumSize(const Architecture& net, size_t unknowns);
  // Doubles of a worker.
  static size_t TileRoom(const Architecture& net, const std::vector<JetTerm>& terms);
  static size_t Room(const Architecture& net, const std::vector<JetTerm>& terms, size_t unknowns);

  // Packs the weights at `parameters` for the tiles that follow.
  Status Begin(const double* parameters, bool back);
  double* WorkerRoom(int worker);
  const double* UnknownsOf(const double* parameters) const {
    return parameters + net_.parameter_count;
  }
  // Runs body for tiles [first, end), forward with `derivatives` at `parameters`.
  Status RunTiles(size_t first, size_t end, const double* parameters, size_t derivatives,
                  const Cancel& cancel, const Body& body);
  // The rows of one tile to the block that begins at row `begin` of J.
  void PutRows(JetTile* tile, size_t begin, double* lines);
  Status FormCurvature(const Cancel& cancel);
  // out (p) = J^T u at parameters_; the tile writes u to its coefficients.
  Status TransposeSum(size_t derivatives, const Cancel& cancel,
                      const std::function<void(JetTile& tile)>& coefficients, double* out);
  double SumLosses() const;

  const Architecture net_;
  std::vector<JetTerm> terms_;
  const size_t unknowns_;
  const int threads_;
  const std::vector<TilePlace> tiles_;
  const std::vector<Block> blocks_;
  size_t row_count_ = 0;
  PackedWeights weights_, direction_;
  DampedSystem system_;
  MatrixSolver solver_;
  JetGram gram_;
  Buffer room_;
  Buffer sums_;                  // of the parts of a product with J^T
  std::vector<double> squares_;  // sum of squares of each tile
  std::vector<double> parameters_, gradient_;
  bool holds_ = false;
  bool solved_ = false;  // the last Solve ended well, of this linearization
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_ENGINE_H_
