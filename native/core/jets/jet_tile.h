// A tile of points of one term: its passes through the network joined with its residuals, which a
// tape computes from the jets of the outputs, numbers of the point and the unknowns. JetEngine
// (jet_engine.h) and the builder of rows (jet_rows.h) run one a task.
#ifndef GAUSSFLOW_CORE_JETS_JET_TILE_H_
#define GAUSSFLOW_CORE_JETS_JET_TILE_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "jets/jet_channels.h"
#include "jets/jet_pass.h"
#include "jets/tape.h"

namespace gaussflow {

// Points at which the same residuals are evaluated (JetTerm in src/equations/jet-problem.ts).
struct JetTerm {
  JetTerm(JetChannels of, size_t count, size_t numbers, Tape tape, std::vector<double> weights)
      : channels(std::move(of)),
        points(count),
        auxiliary_count(numbers),
        residual(std::move(tape)),
        factors(std::move(weights)) {}

  // Copies the points: inputs (points x Q x d), auxiliary (points x a).
  bool Load(size_t input_size, const double* from, const double* numbers);
  size_t InputDoubles(size_t input_size) const { return points * channels.count() * input_size; }
  size_t AuxiliaryDoubles() const { return points * auxiliary_count; }
  size_t residuals() const { return residual.outputs(); }
  size_t rows() const { return points * residuals(); }

  JetChannels channels;
  size_t points;
  size_t auxiliary_count;
  Tape residual;
  std::vector<double> factors;  // of each residual
  Buffer inputs, auxiliary;
};

// Points [first, first + count) of a term, whose rows of J begin at `row`.
struct TilePlace {
  size_t term;
  size_t first;
  size_t count;
  size_t row;
  size_t index;  // among the tiles of all terms
};

// Points of a tile, from sizes alone: its arrays stay in a second-level cache.
size_t TilePoints(const Architecture& net, const JetTerm& term);

class JetTile {
 public:
  // `room`: Doubles() for at least so many points.
  JetTile(const Architecture& net, const JetTerm& term, const TilePlace& place, double* room);
  static size_t Doubles(const Architecture& net, const JetTerm& term, size_t points);

  // Jets of the outputs and the residuals at parameters and unknowns; `derivatives` as in
  // JetPass::Forward.
  void Forward(const PackedWeights& weights, const double* unknowns, size_t derivatives);
  size_t count() const { return place_.count; }
  const TilePlace& place() const { return place_; }
  const JetPass& pass() const { return pass_; }
  // factor * residual at point i.
  double Residual(size_t residual, size_t i) const {
    return term_.factors[residual] * term_.residual.Output(residual, place_.count, registers_)[i];
  }
  // Sum of their squares.
  double SumOfSquares() const;

  // Behind Forward with derivatives 1: the adjoints of one residual, factor in it.
  void Back(const PackedWeights& weights, size_t residual);
  // Of one residual behind Back: derivatives by unknown u at all points, without its factor.
  const double* ByUnknown(size_t u) const { return derivatives_ + (unknown_ + u) * place_.count; }

  // The adjoints of sum over residuals of coefficients[residual][point] * factor * residual, and
  // to by_unknown[u] the derivatives of that sum, added.
  void BackSum(const PackedWeights& weights, size_t unknowns, const double* coefficients,
               double* by_unknown);
  // Behind Forward with derivatives 2: second[residual][point] = factor times the second derivative
  // of a residual along (direction, d_unknowns).
  void Along(const PackedWeights& weights, const PackedWeights& direction, size_t unknowns,
             const double* d_unknowns, double* second);
  // Room for a number a residual and point.
  double* coefficients() { return coefficients_; }

 private:
  const Architecture& net_;
  const JetTerm& term_;
  const TilePlace place_;
  const size_t unknown_;  // arguments of the tape before the unknowns
  JetPass pass_;
  double *registers_, *derivatives_, *sum_, *coefficients_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_TILE_H_
