// Every allocation of the engine for residuals with derivatives is refused once, one after the
// other. The call says so, and the same calls on the same engine have the bits of those that had
// their memory.
#include <optional>

#include "check.h"
#include "faults.h"
#include "guarded.h"
#include "jet_problem.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

struct Run {
  std::optional<JetEngine> engine;
  Vector out;

  Status Create(int threads) {
    engine.emplace(JetNet(Activation::kSilu), LoadedTerms(70, 20), kJetUnknowns, threads);
    return Status::Ok();
  }

  // Everything that an engine computes, one call after the other, until one fails.
  Status Calls(const Vector& w) {
    JetEngine& e = *engine;
    const size_t p = w.size(), n = e.row_count(), jets = 2 * InsideChannels().count();
    const Cancel never{};
    const Vector point = CoordinateJets(InsideChannels(), 2, {0.3, -0.4});
    out.assign(1 + n + 3 * p + 6 * p + jets, 0.0);
    double* to = out.data();
    Damping damping;
    damping.mu = 0.5;
    Linearization result;
    Solution solution;
    Status status = e.Evaluate(w.data(), never, to++);
    if (status.ok()) status = e.Residuals(w.data(), never, to);
    to += n;
    if (status.ok()) status = e.Linearize(w.data(), true, 0.1, nullptr, never, &result);
    if (status.ok()) status = e.Solve(damping, never, to, &solution);
    if (status.ok()) status = e.Accelerate(to, never, to + p);
    if (status.ok()) status = e.DampedInverse(to, never, to + 2 * p);
    if (status.ok()) status = e.Jacobian(w.data(), 8, 6, never, to + 3 * p);
    if (status.ok())
      status = e.OutputJets(w.data(), InsideChannels(), 1, point.data(), never, to + 9 * p);
    return status;
  }
};

}  // namespace

int main() {
  const size_t p = JetNet(Activation::kSilu).parameter_count + kJetUnknowns;
  const Vector w = Draw(4).Normals(p, 0.5);
  Run right;
  CHECK(right.Create(1).ok() && right.Calls(w).ok(), "the calls fail by themselves");
  long points = 0, refused = 0;
  for (const int threads : {1, 2}) {
    // None is refused at first, to count them.
    for (long at = -1, count = 0; at < count; ++at, ++points) {
      Run run;
      Faults::Arm(at);
      Status status = Guarded([&] { return run.Create(threads); });
      const bool created = status.ok();
      if (created) status = Guarded([&] { return run.Calls(w); });
      const long seen = Faults::Disarm();
      if (at < 0) count = seen;
      if (!status.ok()) ++refused;
      CHECK(status.ok() || status.code == Code::kMemory, "allocation %ld of %d threads: code %d",
            at, threads, static_cast<int>(status.code));
      if (!created) status = run.Create(threads);
      status = Guarded([&] { return run.Calls(w); });
      CHECK(status.ok() && run.out == right.out,
            "allocation %ld of %d threads leaves other numbers", at, threads);
    }
  }
  std::printf("%ld points, %ld refused\n", points, refused);
  CHECK(refused > 100, "only %ld allocations were refused", refused);
  return Finish();
}
