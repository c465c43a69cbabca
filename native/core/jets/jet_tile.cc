// Implements the tiles of a term (jet_tile.h).
#include "jets/jet_tile.h"

#include <algorithm>

namespace gaussflow {

namespace {

// The pass of a tile, a part of the second-level cache of today's processors (1 MB and more).
constexpr size_t kTileDoubles = 384 * 1024 / sizeof(double);
constexpr size_t kLeastPoints = 16, kMostPoints = 128, kPointStep = 8;

}  // namespace

bool JetTerm::Load(size_t input_size, const double* from, const double* numbers) {
  const size_t inputs_count = InputDoubles(input_size), count = AuxiliaryDoubles();
  if (!inputs.Reserve(inputs_count) || !auxiliary.Reserve(count)) return false;
  std::copy_n(from, inputs_count, inputs.data());
  if (count > 0) std::copy_n(numbers, count, auxiliary.data());
  return true;
}

size_t TilePoints(const Architecture& net, const JetTerm& term) {
  const size_t each = JetPass::Doubles(net, term.channels, kPointStep) / kPointStep;
  const size_t points = kTileDoubles / each / kPointStep * kPointStep;
  return std::min(term.points, std::clamp(points, kLeastPoints, kMostPoints));
}

size_t JetTile::Doubles(const Architecture& net, const JetTerm& term, size_t points) {
  const Tape& tape = term.residual;
  const size_t derivatives = std::max(tape.GradientDoubles(), tape.CurveDoubles());
  return JetPass::Doubles(net, term.channels, points) +
         points * (tape.RegisterDoubles() + derivatives + tape.inputs() + tape.outputs());
}

JetTile::JetTile(const Architecture& net, const JetTerm& term, const TilePlace& place, double* room)
    : net_(net),
      term_(term),
      place_(place),
      unknown_(net.output_size * term.channels.count() + term.auxiliary_count),
      pass_(net, term.channels, place.count, room) {
  const Tape& tape = term.residual;
  const size_t n = place.count;
  registers_ = room + JetPass::Doubles(net, term.channels, n);
  derivatives_ = registers_ + n * tape.RegisterDoubles();
  sum_ = derivatives_ + n * std::max(tape.GradientDoubles(), tape.CurveDoubles());
  coefficients_ = sum_ + n * tape.inputs();
}

void JetTile::Forward(const PackedWeights& weights, const double* unknowns, size_t derivatives) {
  const size_t n = place_.count, channels = term_.channels.count();
  pass_.SetInputs(term_.inputs.data() + place_.first * channels * net_.input_size);
  pass_.Forward(weights, derivatives);
  pass_.ReadOutputs(registers_);
  double* to = registers_ + net_.output_size * channels * n;
  const size_t count = term_.auxiliary_count;
  const double* numbers = term_.auxiliary.data() + place_.first * count;
  for (size_t k = 0; k < count; ++k)
    for (size_t i = 0; i < n; ++i) *to++ = numbers[i * count + k];
  for (size_t u = unknown_; u < term_.residual.inputs(); ++u, to += n)
    std::fill_n(to, n, unknowns[u - unknown_]);
  term_.residual.Values(n, registers_);
}

double JetTile::SumOfSquares() const {
  double sum = 0.0;
  for (size_t r = 0; r < term_.residuals(); ++r)
    for (size_t i = 0; i < place_.count; ++i) {
      const double value = Residual(r, i);
      sum += value * value;
    }
  return sum;
}

void JetTile::Back(const PackedWeights& weights, size_t residual) {
  term_.residual.Gradient(residual, place_.count, registers_, derivatives_);
  pass_.Back(weights, derivatives_, term_.factors[residual]);
}

void JetTile::BackSum(const PackedWeights& weights, size_t unknowns, const double* coefficients,
                      double* by_unknown) {
  const size_t n = place_.count, inputs = term_.residual.inputs();
  std::fill_n(sum_, inputs * n, 0.0);
  for (size_t r = 0; r < term_.residuals(); ++r) {
    term_.residual.Gradient(r, n, registers_, derivatives_);
    const double* c = coefficients + r * n;
    for (size_t k = 0; k < inputs; ++k)
      for (size_t i = 0; i < n; ++i)
        sum_[k * n + i] += term_.factors[r] * c[i] * derivatives_[k * n + i];
  }
  pass_.Back(weights, sum_, 1.0);
  for (size_t u = 0; u < unknowns; ++u)
    for (size_t i = 0; i < n; ++i) by_unknown[u] += sum_[(unknown_ + u) * n + i];
}

void JetTile::Along(const PackedWeights& weights, const PackedWeights& direction, size_t unknowns,
                    const double* d_unknowns, double* second) {
  const Tape& tape = term_.residual;
  const size_t n = place_.count, behind = tape.RegisterDoubles() * n;
  std::fill_n(derivatives_, tape.inputs() * n, 0.0);
  std::fill_n(derivatives_ + behind, tape.inputs() * n, 0.0);
  pass_.Along(weights, direction, derivatives_, derivatives_ + behind);
  for (size_t u = 0; u < unknowns; ++u)
    std::fill_n(derivatives_ + (unknown_ + u) * n, n, d_unknowns[u]);
  tape.Curve(n, registers_, derivatives_);
  for (size_t r = 0; r < term_.residuals(); ++r) {
    const double* of = tape.SecondOf(r, n, derivatives_);
    for (size_t i = 0; i < n; ++i) second[r * n + i] = term_.factors[r] * of[i];
  }
}

}  // namespace gaussflow
