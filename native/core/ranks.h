// Joins what this process has summed over its slots (slots.h) with the sums of the other processes,
// by the table of calls of exchange.h; one process alone has none, and nothing to join. The data
// set holds it: engine, products and curvatures call it after the tree of their own slots.
//
// All ranks make the same calls in the same order. A failure on one of them becomes that of all
// (Agree), or the others would wait for it forever. Three rules keep them in step: an agreement
// stands right before every join, a rank that fails makes its next agreement with that failure, and
// a failure that all agree on makes no other.
#ifndef GAUSSFLOW_CORE_RANKS_H_
#define GAUSSFLOW_CORE_RANKS_H_

#include <cstddef>

#include "exchange.h"
#include "guarded.h"
#include "status.h"

namespace gaussflow {

class Ranks {
 public:
  Ranks() = default;
  // `calls` outlive it.
  // `distributed`: the Gram matrix of the primal route is held in blocks by all ranks.
  explicit Ranks(const ExchangeCalls* calls, bool distributed = false)
      : calls_(calls), distributed_(distributed) {}

  bool alone() const { return calls_ == nullptr; }
  bool distributed() const { return distributed_; }
  size_t rank() const { return alone() ? 0 : calls_->rank; }
  size_t count() const { return alone() ? 1 : calls_->ranks; }

  // The status of the lowest rank that failed; ok where none did.
  Status Agree(const Status& status) const;
  // call(), one whole call of an engine that returns a status, and the agreement at its end: every
  // call of an engine goes through it, because what fails behind the last join fails here alone.
  template <typename Call>
  Status Agreed(const Call& call) const {
    return alone() ? call() : Agree(Guarded(call));
  }

  // The sums over the slots of this process become those over all slots.
  Status Sum(double* values, size_t count) const;
  // The same right behind an agreement: a part of a sum that is given in parts.
  Status SumPart(double* values, size_t count) const;
  // `values` are joined by `combine` (ExchangeCalls::join). Right behind an agreement, too.
  Status JoinPart(void* values, size_t bytes, ExchangeCombine combine, void* user) const;

  // The calls of the same names in exchange.h.
  Status Total(double* values, size_t count) const;
  Status Mirror(const ExchangeMatrix& matrix, double* local) const;
  // Indefinite: the pivot, from 0.
  Status Factor(const ExchangeMatrix& matrix, double* local) const;
  Status Solve(const ExchangeMatrix& matrix, const double* local, double* x) const;

 private:
  const ExchangeCalls* calls_ = nullptr;
  bool distributed_ = false;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_RANKS_H_
