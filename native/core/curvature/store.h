// Creates and keeps the curvatures of one engine, and chooses the one for a request; Engine
// (engine.cc) calls it at the beginning of each linearization. It is the only place that depends on
// all kinds.
//
// A curvature keeps its memory from one linearization to the next of its kind. The memory holds one
// matrix of the primal and the dual route at a time: their other kinds are freed before the next is
// reserved. The triangle and the operator are kept in addition, because a flow that switches to the
// triangle, and a monitor during a run, alternate with every step.
#ifndef GAUSSFLOW_CORE_CURVATURE_STORE_H_
#define GAUSSFLOW_CORE_CURVATURE_STORE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "curvature/curvature.h"

namespace gaussflow {

// Flops of a linearization of n samples, from sizes alone.
double LinearizeFlops(const Architecture& net, size_t n, Route route);

// Null if sums over more than one slot (slots.h) are supported for the request; else what the
// number of slots must be, with the reason and the remedy.
const char* SlotRefusal(const Request& request);

// The same for requests under ranks (ranks.h).
const char* RankRefusal(const Request& request, const Ranks& ranks);

class CurvatureStore {
 public:
  CurvatureStore(const Architecture& net, int threads, const Dataset& data, Tangents& tangents,
                 Products& products, const std::vector<double>& parameters, SlotTree& sums);

  // The curvature for a request, as it is now.
  Curvature& Find(const Request& request);
  // The same before its Begin; curvatures that may not be in memory with it are freed.
  Curvature& Take(const Request& request);
  // The curvature before any linearization: it holds nothing.
  Curvature& none() { return *made_[kNone]; }

  void SamplesReplaced() {
    for (const auto& curvature : made_)
      if (curvature != nullptr) curvature->SamplesReplaced();
  }

  const Context& context() const { return context_; }
  size_t bytes() const;

  // The estimate of the curvature that sizes.formed asks for.
  static Curvature::Estimate EstimateOf(const Sizes& sizes);
  // bytes() after these curvatures, one after the other.
  static Footprint EstimateBytes(Sizes sizes, const std::vector<Formed>& turns);
  // Whether a subset of that size is held as rows of J.
  static bool HoldsRows(const Sizes& sizes);

 private:
  enum Kind : size_t {
    kNone,
    kGram,
    kSingleGram,
    kSampleRows,
    kKernel,
    kTriangle,
    kOperator,
    kSampledKernel,
    kDistributedGram
  };
  static constexpr size_t kKinds = 9;

  static Kind KindOf(const Formed& formed, const Architecture& net, bool distributed);
  static std::unique_ptr<Curvature> Make(Kind kind, const Context& context);

  DampedSystem system_;
  const Context context_;
  std::array<std::unique_ptr<Curvature>, kKinds> made_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_STORE_H_
