// Engine does the arithmetic of one network on one data set, as src/backend/engine.ts describes it,
// without Node: it holds the data, the passes over it, the gradient, and the curvature of its last
// linearization (curvature/). The binding (engine_object.h) owns one for each JavaScript engine and
// makes one call at a time. The size of a block of samples depends on the problem's sizes alone.
//
// Under ranks it holds the samples of its own slots, and what it answers is of all samples, the
// same on every rank. Every rank makes the same calls, each through Ranks::Agreed.
#ifndef GAUSSFLOW_CORE_ENGINE_H_
#define GAUSSFLOW_CORE_ENGINE_H_

#include <vector>

#include "architecture.h"
#include "curvature/curvature.h"
#include "curvature/store.h"
#include "dataset.h"
#include "hessian_products.h"
#include "products.h"
#include "status.h"
#include "tangents.h"

namespace gaussflow {

class Engine {
 public:
  // `share`: how sums over the samples are cut (slots.h), a power of two, at most the samples.
  // `ranks`: those that sum the other slots.
  Engine(Architecture architecture, int threads, const SlotShare& share = 1,
         const Ranks& ranks = {});

  // The n samples of all ranks: all at once, or room for them, which `data` fills before the first
  // call. Those of a file are read block by block, and only their weights are to be filled in.
  Status SetData(size_t n, const double* inputs, const double* targets, const double* weights);
  Status ReserveData(size_t n, bool weighted);
  Status ReserveFile(size_t n, const FileLayout& layout, bool weighted);
  Dataset& data() { return data_; }
  // After `data` was filled with other samples: ends the linearization, whose they were not.
  void SamplesReplaced() {
    LeaveLinearization();
    curvatures_.SamplesReplaced();
  }

  // out: n x c, row-major. Misuse under ranks.
  Status Forward(const double* parameters, const Cancel& cancel, double* out);
  Status Evaluate(const double* parameters, const Cancel& cancel, double* loss);

  // Makes gradient() = J~^T z~ + decay w, and curvature() as requested. scaling: state of the
  // running maximum (Traits::scaling_count of FormedBy(request)), updated in place, or null. Misuse
  // where Refusal gives a reason.
  Status Linearize(const double* parameters, const Request& request, double decay, double* scaling,
                   const Cancel& cancel, Linearization* result);
  // Null, or why the request is not supported with the engine's number of slots (SlotRefusal) or
  // under ranks (RankRefusal).
  const char* Refusal(const Request& request) const {
    const char* shared = data_.ranks().alone() ? nullptr : RankRefusal(request, data_.ranks());
    return shared != nullptr || data_.slots().all() == 1 ? shared : SlotRefusal(request);
  }
  const Ranks& ranks() const { return data_.ranks(); }
  // Those of the last linearization; empty before the first.
  const std::vector<double>& parameters() const { return parameters_; }
  // p numbers; of no use after a linearization that failed.
  const std::vector<double>& gradient() const { return gradient_; }
  // That of the last linearization; of order 0 before the first, after one that failed, and after
  // the products below, which use its panels.
  Curvature& curvature() const { return *curvature_; }

  // That whose factor DampedInverse applies, or null.
  const Curvature* factor() const { return factor_; }
  // M_before of the next linearization with an average: p x p, symmetric.
  Status RestoreAverage(const double* matrix) {
    return curvatures_.Find(Route::kPrimal).RestoreAverage(matrix);
  }

  // The curvature that a linearization by this request will form.
  const Curvature& FormedBy(const Request& request) { return curvatures_.Find(request); }

  // step (p) = -(M + decay I + mu D)^-1 gradient with the curvature M of the last linearization.
  Status Solve(const Damping& damping, const Cancel& cancel, double* step, Solution* result);
  // With the factor of the last Solve: acceleration (p) = -(M + decay I + mu D)^-1 J~^T R~^T
  // psi_vv, psi_vv the second derivative of the predictions along velocity (p). `scaling`: D.
  Status Accelerate(const double* velocity, const double* scaling, const Cancel& cancel,
                    double* acceleration);

  // x (p) = (M + decay I + mu D)^-1 v with the factor of the last Solve, not refined: a
  // preconditioner. Misuse where there is none. That of a Gram matrix stays until a linearization
  // forms another curvature than a moving average (Request::average), which keeps it with one slot.
  Status DampedInverse(const double* v, const Cancel& cancel, double* x);
  // out (count x p) = F'' V for the rows v of `vectors`, F'' the exact Hessian of the loss, without
  // decay, at the last linearization. Misuse where there is none. Curvature and factor stay.
  Status HessianProduct(size_t count, const double* vectors, const Cancel& cancel, double* out);

  // J v (n c) and J^T u (p) for `count` vectors, one row each, and rows of J (row count c x p),
  // none of them weighted. Under ranks u is of all samples, and J v and rows of J are misuse.
  Status Product(const double* parameters, size_t count, const double* vectors,
                 const Cancel& cancel, double* out);
  Status TransposeProduct(const double* parameters, size_t count, const double* vectors,
                          const Cancel& cancel, double* out);
  Status Jacobian(const double* parameters, size_t first, size_t count, const Cancel& cancel,
                  double* out);

  const Architecture& architecture() const { return net_; }
  // Of those here, and of all.
  size_t sample_count() const { return data_.sample_count; }
  size_t total_count() const { return data_.slots().total(); }
  // count x inputs, row-major: for the diagnosis of a failure.
  Status CopyInputs(size_t first, size_t count, double* out) const {
    return data_.CopyInputs(first, count, out);
  }
  int threads() const { return threads_; }
  size_t bytes() const;
  // bytes() of an engine with those samples once it has evaluated a loss and formed, solved and
  // accelerated with these curvatures, one after the other, and made the products that they name.
  static Footprint EstimateBytes(Sizes sizes, const std::vector<Formed>& turns);

 private:
  static constexpr size_t kLosses = 2;  // the loss, and |z~|^2

  void LeaveLinearization();
  static size_t ForwardDoubles(const Architecture& net, int threads);
  // Makes tiles_ those of all samples, and calls body(index, tile, outputs f) for each; f is
  // [output][kTile].
  template <typename Body>
  Status ForEachTile(const double* parameters, const Cancel& cancel, const Body& body);
  // The passes over all samples, block by block; each is shown to the curvature.
  Status RunPasses(Curvature* curvature, const Cancel& cancel, Linearization* result);
  // Those of every slot here, to `sums` and the gradient.
  Status RunSlots(Curvature* curvature, size_t most, const Cancel& cancel, double* sums,
                  Linearization* result);
  // Joins both with those of the other ranks.
  Status JoinRanks(double* sums);
  // Those of a curvature that passes itself.
  Status RunOwnPasses(Curvature* curvature, const Cancel& cancel, Linearization* result);
  LossTile TileOf(const Tile& tile, const double* f) const;
  // Adds the selected panels to the loss and |z~|^2 in `sums`, and to the gradient.
  Status AddPasses(const Cancel& cancel, double* sums);
  // gradient_ = J^T (s r), where z~ is not finite: the passes once more with rows of J, in the
  // same panels, for blocks of at most `most` samples.
  Status FormGradient(size_t most, const Cancel& cancel);
  // gradient_ += decay * parameters_
  void AddDecay(double decay);

  const Architecture net_;
  const int threads_;
  Dataset data_;
  SlotTree sums_;  // of the gradient; once the passes are over, of any other sum over samples
  Tangents tangents_;
  Products products_;
  HessianProducts hessian_;
  Buffer forward_work_;
  std::vector<double> parameters_;  // of the last linearization
  std::vector<double> gradient_;
  SlotTree losses_;           // of the loss and |z~|^2
  std::vector<Tile> tiles_;   // of the last forward pass
  bool has_residual_ = true;  // z~ of the last linearization is finite
  CurvatureStore curvatures_;
  Curvature* curvature_;         // one of them
  Curvature* factor_ = nullptr;  // that of the last Solve, while its factor stands
  bool linearized_ = false;      // the last Linearize ended well
  bool solved_ = false;          // the last Solve ended well, of this linearization
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_ENGINE_H_
