// What a jet of a quantity holds at a point: its value, first derivatives by some coordinates, and
// second-order channels, each a sum of coefficient * d2/dx_i dx_j (src/equations/jet-problem.ts).
#ifndef GAUSSFLOW_CORE_JETS_JET_CHANNELS_H_
#define GAUSSFLOW_CORE_JETS_JET_CHANNELS_H_

#include <cstddef>
#include <vector>

namespace gaussflow {

struct SecondDerivative {
  size_t i, j;  // first derivatives, from 0
  double coefficient;
};

struct JetChannels {
  size_t firsts = 0;
  std::vector<std::vector<SecondDerivative>> seconds;

  // Q: channel 0 is the value, 1 ... firsts the firsts, and then the seconds.
  size_t count() const { return 1 + firsts + seconds.size(); }
  // Derivatives of an activation that a pass forward needs; one more for a pass back.
  size_t order() const { return !seconds.empty() ? 2 : firsts > 0 ? 1 : 0; }
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_CHANNELS_H_
