// Defines the outcome of a numerical call of the core: every function that can fail returns a
// Status, up to the binding, which turns it into { failure, value } (promise_worker.h). A numerical
// failure is a value with the numbers behind it; the core never throws for one. Memory may also be
// refused by an exception, which guarded.h turns into a status.
#ifndef GAUSSFLOW_CORE_STATUS_H_
#define GAUSSFLOW_CORE_STATUS_H_

#include <cstddef>

namespace gaussflow {

enum class Code {
  kOk,
  kCanceled,    // the flag was raised while tiles were left
  kMemory,      // `value` bytes could not be had; 0 = their number is not known
  kIndefinite,  // pivot `value` (from 0) of the factorization is not positive
  kNonFinite,   // the loss (`value` 0), the gradient (1), the curvature (2) or the step (3) is not
                // finite
  kImprecise,  // single precision does not do: `value` steps of conjugate gradients, or 0 where the
               // matrix left the range of float
  kFile,       // sample `value` of a file cannot be read, or the file has changed
  kMisuse,     // called out of order: a bug of the caller
  kInternal,   // an exception that is not about memory: a bug of the core
  kUnreachable,  // the other ranks cannot be reached any more (ranks.h)
};

struct Status {
  Code code = Code::kOk;
  size_t value = 0;
  bool agreed = false;  // all ranks have it (ranks.h)
  int elsewhere = -1;   // the other rank whose failure it is

  bool ok() const { return code == Code::kOk; }
  static Status Ok() { return {}; }
  static Status Canceled() { return {Code::kCanceled, 0}; }
  static Status Memory(size_t bytes) { return {Code::kMemory, bytes}; }
  static Status Indefinite(size_t pivot) { return {Code::kIndefinite, pivot}; }
  static Status NonFinite(size_t what) { return {Code::kNonFinite, what}; }
  static Status Imprecise(size_t steps) { return {Code::kImprecise, steps}; }
  static Status File(size_t sample) { return {Code::kFile, sample}; }
  static Status Misuse() { return {Code::kMisuse, 0}; }
  static Status Internal() { return {Code::kInternal, 0}; }
  // Agreed, because there is nobody left to agree with.
  static Status Unreachable() { return {Code::kUnreachable, 0, true}; }
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_STATUS_H_
