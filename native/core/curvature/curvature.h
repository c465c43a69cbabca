// The interface of a curvature: what a linearization forms of J~ (the Jacobian with every row times
// the root of its sample's weight), and the damped systems that are solved with it. There is one
// class per kind; store.h chooses it. Engine (engine.cc) runs the passes, passes each block of
// samples to its curvature, solves with it, and depends on nothing else of it; the binding asks it
// for spectrum and products.
//
//   Begin -> (AddBlock for every block of a slot, EndSlot) for every slot, in order (slots.h)
//     -> JoinRanks -> Finish -> Factor -> Solve, any number of times
//
// A curvature that passes itself (Traits) has Begin -> RunPasses -> Finish instead.
//
// All calls are virtual, and are made once a block, a factorization or a solve.
#ifndef GAUSSFLOW_CORE_CURVATURE_CURVATURE_H_
#define GAUSSFLOW_CORE_CURVATURE_CURVATURE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "architecture.h"
#include "curvature/damped_system.h"
#include "curvature/orthogonal_system.h"
#include "curvature/single_system.h"
#include "dataset.h"
#include "products.h"
#include "sampled_panels.h"
#include "sizes.h"
#include "status.h"
#include "tangents.h"

namespace gaussflow {

// M = keep * M_before + add * J~^T J~ in place of J~^T J~; M_before is 0 at first.
struct Average {
  double keep;
  double add;
};

// What a linearization forms.
struct Request {
  Request(Route r = Route::kNone, Precision p = Precision::kDouble,
          const std::vector<uint32_t>* samples = nullptr)
      : route(r), precision(p), subset(samples) {}

  Route route;
  // Single precision is for the primal route.
  Precision precision;
  // Ascending indices of the samples that stand for all in what is costly, or null for all: the
  // single-precision Gram matrix, which only preconditions then, and the products of the
  // matrix-free route, which are in float where that has the range. So do the scaling, the diagonal
  // and the cosine; loss and gradient are exact. Other requests ignore it.
  const std::vector<uint32_t>* subset;
  // Dual: the gradient's cosine is a lower bound of it where that is above.
  double exact_measure_below = HUGE_VAL;
  SampledSeeds sampled;  // of the sampled curvature
  // Primal in double precision; null: M is J~^T J~.
  const Average* average = nullptr;

  Formed formed() const {
    return {route, precision, subset == nullptr ? 0 : subset->size(), false, average != nullptr};
  }
};

struct Linearization {
  double loss = 0.0;
  // |z~|^2 of losses other than squared error, where it is twice the loss; not finite where z~ is
  // not.
  double residual_square = 0.0;
  double gradient_cosine = 0.0;
  double pass_seconds = 0.0;
  double curvature_seconds = 0.0;
  std::vector<double> diagonal;  // of J~^T J~ (p); matrix-free only
};

// The matrix to factor: J~^T J~ + decay I + mu D + correction.
struct Damping {
  double mu = 0.0;
  double decay = 0.0;
  const double* scaling = nullptr;  // D, Curvature::Traits::scaling_count numbers; null = I
  bool condition = false;           // estimate its condition number
  double tolerance = SingleSystem::kTolerance;  // of an iterative solve
  LowRank correction = {};  // for Gram in double precision, without a condition estimate
};

// The right-hand side J~^T z + offset w with the parameters w of the linearization.
struct RightSide {
  const double* sum;      // p: all of it
  const double* seeds;    // z, output-major: what the dual route reads; null where z is not finite
  double offset;          // the decay for a step, 0 for an acceleration
  const double* scaling;  // D as it was given to Factor
};

struct Solution {
  double condition = 0.0;  // NaN = none
  double residual = 0.0;
  Rank rank;         // of the orthogonal route; rank.tolerance 0 = none
  size_t steps = 0;  // of the conjugate gradients behind a single-precision factor
};

// The parts of the engine that curvatures use. They outlive every curvature.
struct Context {
  const Architecture& net;
  int threads;
  const Dataset& data;
  Tangents& tangents;                     // passes over data
  Products& products;                     // with the J of data
  const std::vector<double>& parameters;  // of the linearization
  DampedSystem& system;                   // Gram matrix and kernel take turns in it
  SlotTree& sums;  // of sums over samples, which take turns in it once the passes are over

  // Selects the panels of samples [first, first + count) at those parameters in `tangents`. The
  // passes are run again unless the linearization held all samples at once.
  Status Panels(size_t first, size_t count, const Cancel& cancel) const;
};

// A block of samples of one slot, whose panels are selected in Context::tangents, and J~^T z~ of
// the slot up to the block's end.
struct Block {
  size_t first;
  size_t count;
  bool begins_slot;
  const std::vector<double>& gradient;
};

// The pass over all samples at its end. The gradient has no decay yet: its measure is that of the
// residuals' columns.
struct Pass {
  const std::vector<double>& gradient;  // J~^T z~
  double residual_norm;                 // |z~|; NaN for losses other than squared error
};

// A symmetric matrix that can be looked at as a whole, rows in the order that callers see (the
// kernel's are sample-major).
class DenseView {
 public:
  virtual ~DenseView() = default;
  // out: order x order, both triangles.
  virtual void Copy(double* out) const = 0;
  // Eigenvalues, ascending; vectors (order x order, one a row) or null. LAPACK looks at no flag: a
  // raised one is found once it has ended.
  virtual Status Eigen(const Cancel& cancel, double* values, double* vectors) const = 0;
  // Number of eigenvalues below `bound`.
  virtual Status EigenvaluesBelow(double bound, const Cancel& cancel, size_t* count) const = 0;
};

class Curvature {
 public:
  // Curvatures of different storage are not in memory at the same time; those of kBeside may be
  // there with any other.
  enum class Storage { kBeside, kDouble, kSingle, kRows, kDistributed };
  struct Traits {
    Storage storage = Storage::kBeside;
    size_t scaling_count = 0;    // of D: one number a parameter or a layer
    bool accelerates = false;    // Solve takes any right-hand side, also that of an acceleration
    bool reads_seeds = false;    // of a right-hand side; else its sum
    bool factor_alone = false;   // ApplyFactor reads nothing of the linearization
    bool passes_itself = false;  // RunPasses in place of AddBlock and EndSlot
  };
  // What an engine holds for a curvature once it was formed, factored, solved with and, where it
  // accelerates, accelerated with. Each class says its own from sizes alone (EstimateBytes).
  struct Estimate {
    Storage storage = Storage::kBeside;
    Footprint held;       // bytes(), without the samples of a subset
    double subset = 0.0;  // bytes of those, which Suspend frees
    double left = 0.0;    // of `held`, after Release
    bool passes_itself = false;
    size_t order = 0;  // in the damped system, which belongs to the store; 0 = not there
    size_t block = 0;  // samples that go through in one block
    std::vector<Tangents::Pass> passes;  // over it, besides those of every linearization
    double products = 0.0;               // bytes of Context::products
    size_t loaded = 0;                   // samples that those load from a file at a time
    size_t sums = 0;                     // numbers of the longest sum in Context::sums
    double solve_flops = 0.0;            // SolveFlops

    bool solves() const { return order > 0 || held.factor > 0.0; }
    bool accelerates() const {
      return std::find(passes.begin(), passes.end(), Tangents::Pass::kSecondDerivative) !=
             passes.end();
    }
  };
  // What a caller may ask for besides steps.
  enum class Need { kProduct, kView, kInverse, kLayerFactors };

  virtual ~Curvature() = default;
  Curvature(const Curvature&) = delete;
  Curvature& operator=(const Curvature&) = delete;

  virtual Traits traits() const = 0;
  // Of the whole matrix; 0 = none.
  virtual size_t order() const = 0;
  // Null if the curvature can do that; else a sentence with the reason and the remedy.
  virtual const char* Refusal(Need need) const = 0;
  // Flops of a factorization and the solves with it, or of a product where there is no factor.
  virtual double SolveFlops() const = 0;

  // Most samples that go through in one block, from sizes alone: with `samples` all of them are
  // held at once.
  virtual size_t BlockSize(size_t samples) const;
  // Makes room, all or nothing, and starts anew at Context::parameters. `scaling`: what Finish will
  // be given.
  virtual Status Begin(const Request& request, const double* scaling) = 0;
  // The passes over all samples: gradient (p, without decay) and the loss in `result`.
  virtual Status RunPasses(const Cancel& cancel, double* gradient, Linearization* result);
  virtual Status AddBlock(const Block& block, const Cancel& cancel) = 0;
  // Joins the sum of slot number `slot`, which is whole, to those before.
  virtual Status EndSlot(size_t slot, const Cancel& cancel);
  // Joins the sum of all slots here with those of the other ranks. Right behind an agreement.
  virtual Status JoinRanks();
  // Raises the running maximum `scaling` (or null) to the diagonal, fills in result's measure and
  // diagonal. Nothing else is to be called after an error of one of these.
  virtual Status Finish(const Pass& pass, const Cancel& cancel, double* scaling,
                        Linearization* result) = 0;

  virtual Status Factor(const Damping& damping, const Cancel& cancel);
  // True while the factor of the last Factor is there for Solve.
  virtual bool factored() const { return false; }
  // x (p) = -(J~^T J~ + decay I + mu D)^-1 (right-hand side) with that factor.
  virtual Status Solve(const RightSide& side, const Cancel& cancel, double* x, Solution* solution);
  // x (p) = (J~^T J~ + decay I + mu D)^-1 v with that factor, as precisely as the factor is,
  // without refinement. Misuse where the curvature does not support it.
  virtual Status ApplyFactor(const double* v, const Cancel& cancel, double* x);
  // out = M v (`count` vectors, one row each) with the curvature M.
  virtual Status Multiply(size_t count, const double* vectors, const Cancel& cancel, double* out);
  // out = (M + shift I)^-1 v. The factor of the last Factor is gone.
  virtual Status Inverse(const double* vector, double shift, const Cancel& cancel, double* out);
  // M_before of the next request with an average: p x p, symmetric.
  virtual Status RestoreAverage(const double* matrix);
  // A_l and B_l of every layer, square after square (layer_factors.h).
  virtual Status LayerFactors(const Cancel& cancel, double* out);
  // The engine holds other samples from now on: what was kept of the last ones is dropped.
  virtual void SamplesReplaced() {}
  virtual const DenseView* dense() const { return nullptr; }

  // A sum over all samples at the parameters of the linearization, once the passes are over: for
  // every block of samples, in order, add(first, count) adds to `sum` (length) what the panels
  // selected in Context::tangents give. `sum` may begin with a term of its own, but under ranks.
  // All samples are selected at the end if they are held at once.
  using Add = std::function<Status(size_t first, size_t count)>;
  Status SumOverSamples(size_t length, double* sum, const Cancel& cancel, const Add& add) const;

  // Called when another curvature is about to be formed: Suspend always, Release if the two may not
  // be in memory together. Suspend frees the samples of a subset, Release everything large.
  virtual void Suspend() {}
  virtual void Release() {}
  virtual size_t bytes() const = 0;

 protected:
  static constexpr const char* kNoLayerFactors = "layer factors are of a matrix-free curvature";

  explicit Curvature(const Context& context) : context_(context) {}

  const Context context_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CURVATURE_CURVATURE_H_
