// Implements the evaluation of a tape (tape.h).
#include "jets/tape.h"

#include <algorithm>
#include <utility>

namespace gaussflow {

bool TapeCode::Valid() const {
  for (size_t k = 0; k < code.size(); ++k)
    if (std::max(code[k].a, code[k].b) >= first() + k) return false;
  const auto foreign = [this](size_t output) { return output >= registers(); };
  return !outputs.empty() && std::none_of(outputs.begin(), outputs.end(), foreign);
}

Tape::Tape(TapeCode code, const std::vector<uint8_t>& moves)
    : code_(std::move(code)), moves_(moves) {
  moves_.resize(code_.registers(), 0);
  for (size_t k = 0; k < code_.code.size(); ++k) {
    const Instruction& one = code_.code[k];
    moves_[code_.first() + k] = moves_[one.a] | moves_[one.b];
  }
  for (const size_t output : code_.outputs) {
    std::vector<uint8_t> reached(code_.registers(), 0);
    std::vector<Link> links;
    reached[output] = moves_[output];
    for (size_t k = code_.code.size(); k-- > 0;) {
      if (!reached[code_.first() + k]) continue;
      const auto [operation, a, b] = code_.code[k];
      const auto link = [&](bool second, size_t to) {
        if (!moves_[to]) return;
        links.push_back({k, second, to});
        reached[to] = 1;
      };
      link(false, a);
      if (IsBinary(operation)) link(true, b);
    }
    links_.push_back(std::move(links));
  }
}

void Tape::Values(size_t n, double* registers) const {
  for (size_t k = 0; k < code_.constants.size(); ++k)
    std::fill_n(registers + (code_.inputs + k) * n, n, code_.constants[k]);
  double* out = registers + code_.first() * n;
  for (const auto& [operation, a, b] : code_.code) {
    OperationValue(operation, n, registers + a * n, registers + b * n, out);
    out += n;
  }
}

void Tape::Gradient(size_t output, size_t n, const double* registers, double* adjoints) const {
  const size_t first = code_.first();
  std::fill_n(adjoints, code_.registers() * n, 0.0);
  const size_t from = code_.outputs[output];
  if (moves_[from]) std::fill_n(adjoints + from * n, n, 1.0);
  double* slope = adjoints + code_.registers() * n;
  for (const auto& [k, second, to] : links_[output]) {
    const auto& [operation, a, b] = code_.code[k];
    OperationSlope(operation, second, n, registers + a * n, registers + b * n,
                   registers + (first + k) * n, slope);
    const double* adjoint = adjoints + (first + k) * n;
    double* sum = adjoints + to * n;
    for (size_t i = 0; i < n; ++i) sum[i] += slope[i] * adjoint[i];
  }
}

void Tape::Curve(size_t n, const double* registers, double* curve) const {
  for (const size_t order : {size_t{0}, size_t{1}})
    std::fill_n(curve + (order * code_.registers() + code_.inputs) * n, code_.constants.size() * n,
                0.0);
  for (size_t k = 0; k < code_.code.size(); ++k) Chain(k, n, registers, curve);
}

// Operands that do not move are left out: their terms may be 0 times infinity.
void Tape::Chain(size_t instruction, size_t n, const double* registers, double* curve) const {
  const size_t count = code_.registers() * n, to = (code_.first() + instruction) * n;
  double* first = curve;
  double* second = curve + count;
  double* slope = second + count;
  double* bend = slope + n;
  std::fill_n(first + to, n, 0.0);
  std::fill_n(second + to, n, 0.0);
  const auto& [operation, a, b] = code_.code[instruction];
  const double *va = registers + a * n, *vb = registers + b * n, *v = registers + to;
  const auto add_bend = [&](int which, size_t x, size_t y) {
    if (!moves_[x] || !moves_[y]) return;
    if (!OperationBend(operation, which, n, va, vb, v, slope, bend)) return;
    const double *dx = first + x * n, *dy = first + y * n;
    const double factor = which == 1 ? 2.0 : 1.0;
    for (size_t i = 0; i < n; ++i) second[to + i] += factor * bend[i] * (dx[i] * dy[i]);
  };
  const auto add_slope = [&](bool by_b, size_t from) {
    if (!moves_[from]) return;
    OperationSlope(operation, by_b, n, va, vb, v, slope);
    const double *df = first + from * n, *ddf = second + from * n;
    for (size_t i = 0; i < n; ++i) {
      first[to + i] += slope[i] * df[i];
      second[to + i] += slope[i] * ddf[i];
    }
  };
  add_slope(false, a);
  add_bend(0, a, a);
  if (!IsBinary(operation)) return;
  add_slope(true, b);
  add_bend(1, a, b);
  add_bend(2, b, b);
}

}  // namespace gaussflow
