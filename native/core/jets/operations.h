// The operations of a residual's tape over a block of points: values, and first and second
// derivatives. tape.cc chains them. The TypeScript engine has the same formulas, and the same
// conventions where a function has no derivative (src/expression/block-derivatives.ts).
#ifndef GAUSSFLOW_CORE_JETS_OPERATIONS_H_
#define GAUSSFLOW_CORE_JETS_OPERATIONS_H_

#include <cstddef>

namespace gaussflow {

// In the order of OPERATIONS in src/expression/tape.ts.
enum class Operation : int {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kPower,
  kMinimum,
  kMaximum,
  kAtan2,
  kNegate,
  kSquare,
  kSqrt,
  kCbrt,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kTanh,
  kErf,
  kAbs,
  kSign
};
constexpr int kOperationCount = 28;

inline bool IsBinary(Operation operation) { return operation < Operation::kNegate; }

// out = operation(a, b) for n points; operations of one operand ignore b.
void OperationValue(Operation operation, size_t n, const double* a, const double* b, double* out);

// out = the derivative by the first operand (`second` false) or the second; v = operation(a, b).
void OperationSlope(Operation operation, bool second, size_t n, const double* a, const double* b,
                    const double* v, double* out);

// out = the second derivative by (a, a), (a, b) or (b, b): `which` 0, 1 or 2. False, and nothing
// is written, where it is 0 everywhere. `slope` is the derivative by a, of operations of one
// operand.
bool OperationBend(Operation operation, int which, size_t n, const double* a, const double* b,
                   const double* v, const double* slope, double* out);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_OPERATIONS_H_
