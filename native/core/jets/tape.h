// A residual as a list of instructions (src/expression/tape.ts), evaluated for a block of points:
// values, partial derivatives by a reverse sweep, and the second derivative along a curve of the
// arguments. jet_pass.cc calls it between the passes forward and back through the network.
#ifndef GAUSSFLOW_CORE_JETS_TAPE_H_
#define GAUSSFLOW_CORE_JETS_TAPE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jets/operations.h"

namespace gaussflow {

struct Instruction {
  Operation operation;
  size_t a, b;  // registers; of one operand twice the same
};

// Registers are the arguments, then the constants, then what the instructions write.
struct TapeCode {
  size_t inputs = 0;
  std::vector<double> constants;
  std::vector<Instruction> code;
  std::vector<size_t> outputs;

  size_t first() const { return inputs + constants.size(); }
  size_t registers() const { return first() + code.size(); }
  // Every instruction reads what stands before it, and there is an output.
  bool Valid() const;
};

// Registers of a block are [register][n]: `n` points, at most those of the scratch.
class Tape {
 public:
  // `moves[k]`: whether argument k depends on the parameters. Derivatives are by those alone.
  Tape(TapeCode code, const std::vector<uint8_t>& moves);

  size_t inputs() const { return code_.inputs; }
  size_t outputs() const { return code_.outputs.size(); }
  // Doubles a point of the arrays below: of the registers, of a gradient, and of a curve.
  size_t RegisterDoubles() const { return code_.registers(); }
  size_t GradientDoubles() const { return code_.registers() + 1; }
  size_t CurveDoubles() const { return 2 * code_.registers() + 2; }

  // Fills the registers behind the arguments.
  void Values(size_t n, double* registers) const;
  const double* Output(size_t output, size_t n, const double* registers) const {
    return registers + code_.outputs[output] * n;
  }
  // adjoints[k][n], k < inputs(): derivatives of an output by argument k, 0 for those that do not
  // move. `adjoints`: GradientDoubles().
  void Gradient(size_t output, size_t n, const double* registers, double* adjoints) const;
  // The arguments have derivatives first[k][n] and second[k][n] along a curve (0 for those that do
  // not move), which stand at the start of `curve`: registers x n each, the second behind the
  // first. Those of the other registers are computed. `curve`: CurveDoubles().
  void Curve(size_t n, const double* registers, double* curve) const;
  const double* SecondOf(size_t output, size_t n, const double* curve) const {
    return curve + (code_.registers() + code_.outputs[output]) * n;
  }

 private:
  // An instruction's adjoint times a slope goes to register `to`.
  struct Link {
    size_t instruction;
    bool second;
    size_t to;
  };

  void Chain(size_t instruction, size_t n, const double* registers, double* curve) const;

  TapeCode code_;
  std::vector<uint8_t> moves_;            // of every register
  std::vector<std::vector<Link>> links_;  // of every output, from it back
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_TAPE_H_
