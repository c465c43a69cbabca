// Defines the sizes of a problem and of what an engine forms of it. From them alone every class of
// the core (dataset, passes, products, curvatures) returns the bytes that it will hold
// (EstimateBytes), for the planner, which asks before anything is reserved (binding:
// estimate_functions.h). An estimate and the reservation that it is about call the same count
// functions, so that they cannot disagree; test/estimate_test.cc compares them for every kind of
// curvature.
#ifndef GAUSSFLOW_CORE_SIZES_H_
#define GAUSSFLOW_CORE_SIZES_H_

#include <algorithm>
#include <cstddef>

#include "architecture.h"
#include "slots.h"

namespace gaussflow {

// How a step is solved.
enum class Route : int {
  kNone = 0,
  kPrimal = 1,
  kDual = 2,
  kOrthogonal = 3,
  kMatrixFree = 4,
  kSampled = 5
};
constexpr int kLastRoute = 5;

// Of the primal Gram matrix and its factor.
enum class Precision : int { kDouble = 0, kSingle = 1 };

// The curvature of a linearization, by its sizes.
struct Formed {
  Route route = Route::kNone;
  Precision precision = Precision::kDouble;
  size_t subset = 0;     // samples that stand for all (Request::subset); 0 = all of them
  bool hessian = false;  // a product of the exact Hessian with one vector follows
  bool average = false;  // the Gram matrix joins a moving average (Request::average)
};

// Of one process: the samples are those of its slots.
struct Sizes {
  const Architecture& net;
  size_t samples;
  int threads;
  bool weighted = false;
  size_t file_width = 0;  // numbers of a row of the file that has the samples; 0 = in memory
  SlotShare slots = 1;
  Formed formed = {};
  bool ranked = false;  // other processes sum slots, too
  size_t total = 0;     // the samples of all of them; 0 = these
  // Ranks that hold the Gram matrix of the primal route together; 0 = each has all of it.
  size_t holders = 0;

  SlotCut cut() const { return {total > 0 ? total : samples, slots}; }
  size_t workers() const { return static_cast<size_t>(threads); }
  // Samples behind what only a subset is used for.
  size_t used() const { return formed.subset > 0 ? formed.subset : samples; }
};

// Bytes by purpose. Doubles, which do not overflow where a plan is about what no memory holds.
struct Footprint {
  double data = 0.0;
  double curvature = 0.0;  // the matrix, or what is held in its place
  double factor = 0.0;
  double workspaces = 0.0;

  double total() const { return data + curvature + factor + workspaces; }
  // Buffers only grow: the larger of two turns, purpose by purpose.
  void Raise(const Footprint& other) {
    data = std::max(data, other.data);
    curvature = std::max(curvature, other.curvature);
    factor = std::max(factor, other.factor);
    workspaces = std::max(workspaces, other.workspaces);
  }
};

template <typename T>
double BytesOf(size_t count) {
  return static_cast<double>(count) * sizeof(T);
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_SIZES_H_
