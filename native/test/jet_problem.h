// Problems with derivatives for the tests of jets: two terms, several residuals and outputs, mixed
// second derivatives and a Laplacian, unknowns.
#ifndef GAUSSFLOW_TEST_JET_PROBLEM_H_
#define GAUSSFLOW_TEST_JET_PROBLEM_H_

#include <new>
#include <utility>
#include <vector>

#include "check.h"
#include "jets/jet_engine.h"

namespace gaussflow::test {

// The jets of coordinates themselves: value, 1 or 0, 0.
inline Vector CoordinateJets(const JetChannels& channels, size_t d, const Vector& points) {
  const size_t q = channels.count(), m = points.size() / d;
  Vector jets(m * q * d, 0.0);
  for (size_t i = 0; i < m; ++i) {
    for (size_t k = 0; k < d; ++k) jets[i * q * d + k] = points[i * d + k];
    for (size_t k = 0; k < channels.firsts; ++k) jets[(i * q + 1 + k) * d + k] = 1.0;
  }
  return jets;
}

class TapeMaker {
 public:
  TapeMaker(size_t inputs, std::vector<double> constants) {
    code_.inputs = inputs;
    code_.constants = std::move(constants);
  }
  size_t Constant(size_t k) const { return code_.inputs + k; }
  size_t Add(Operation operation, size_t a, size_t b) {
    code_.code.push_back({operation, a, b});
    return code_.registers() - 1;
  }
  size_t Add(Operation operation, size_t a) { return Add(operation, a, a); }
  void Output(size_t place) { code_.outputs.push_back(place); }
  // Arguments [first, end) are numbers of the points.
  Tape Make(size_t first, size_t end) const {
    std::vector<uint8_t> moves(code_.inputs, 1);
    for (size_t k = first; k < end; ++k) moves[k] = 0;
    return Tape(code_, moves);
  }

 private:
  TapeCode code_;
};

constexpr size_t kJetUnknowns = 2;

inline JetChannels InsideChannels() {
  return {2, {{{0, 0, 1.0}}, {{0, 1, 1.0}}, {{0, 0, 1.0}, {1, 1, 0.5}}}};
}

// With outputs u and v, unknowns a and b, and numbers s and t of a point:
//   u_y + u u_x - exp(a) u_xx + s,   v (u_xx + v_yy / 2) + sin(b v_xy) t.
inline Tape InsideResidual() {
  const size_t q = 6, c = 2, aux = c * q;
  TapeMaker tape(aux + 2 + kJetUnknowns, {});
  const auto jet = [q](size_t output, size_t channel) { return output * q + channel; };
  const size_t a = aux + 2, b = aux + 3;
  const size_t advection = tape.Add(Operation::kMultiply, jet(0, 0), jet(0, 1));
  const size_t nu = tape.Add(Operation::kExp, a);
  const size_t diffusion = tape.Add(Operation::kMultiply, nu, jet(0, 3));
  const size_t left = tape.Add(Operation::kAdd, jet(0, 2), advection);
  const size_t right = tape.Add(Operation::kSubtract, left, diffusion);
  tape.Output(tape.Add(Operation::kAdd, right, aux));
  const size_t mixed = tape.Add(Operation::kSin, tape.Add(Operation::kMultiply, b, jet(1, 4)));
  const size_t product = tape.Add(Operation::kMultiply, jet(1, 0), jet(0, 5));
  tape.Output(tape.Add(Operation::kAdd, product, tape.Add(Operation::kMultiply, mixed, aux + 1)));
  return tape.Make(aux, aux + 2);
}

// (u - s)^2 / (1 + v^2).
inline Tape EdgeResidual() {
  TapeMaker tape(2 + 1 + kJetUnknowns, {1.0});
  const size_t gap = tape.Add(Operation::kSquare, tape.Add(Operation::kSubtract, 0, 2));
  const size_t below = tape.Add(Operation::kAdd, tape.Constant(0), tape.Add(Operation::kSquare, 1));
  tape.Output(tape.Add(Operation::kDivide, gap, below));
  return tape.Make(2, 3);
}

inline Architecture JetNet(Activation activation) {
  return MakeNet({2, 7, 5, 2}, activation, true, 1.3);
}

inline std::vector<JetTerm> JetTerms(size_t inside, size_t edge) {
  std::vector<JetTerm> terms;
  terms.emplace_back(InsideChannels(), inside, 2, InsideResidual(), Vector{0.7, 1.2});
  terms.emplace_back(JetChannels{}, edge, 1, EdgeResidual(), Vector{1.5});
  return terms;
}

inline void LoadPoints(unsigned seed, std::vector<JetTerm>* terms) {
  Draw draw(seed);
  for (JetTerm& term : *terms) {
    const Vector points = draw.Normals(2 * term.points, 0.8);
    const Vector jets = CoordinateJets(term.channels, 2, points);
    if (!term.Load(2, jets.data(), draw.Normals(term.AuxiliaryDoubles()).data()))
      throw std::bad_alloc();
  }
}

inline std::vector<JetTerm> LoadedTerms(size_t inside, size_t edge) {
  std::vector<JetTerm> terms = JetTerms(inside, edge);
  LoadPoints(5, &terms);
  return terms;
}

}  // namespace gaussflow::test

#endif  // GAUSSFLOW_TEST_JET_PROBLEM_H_
