// Memory that one rank cannot have, at every allocation of every kind of call: both ranks get the
// same status from each call, none waits for the other, and the calls after it are answered.
#include "curvature/layer_factors.h"
#include "faults.h"
#include "slot_problem.h"
#include "thread_ranks.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

constexpr size_t kCalls = 15;

struct Codes {
  Status status[kCalls];
};

// The statuses of a sequence of calls, all of which are made whatever those before have answered.
Codes Sequence(const Problem& problem, Engine* engine, Vector* room) {
  const size_t p = problem.net.parameter_count;
  const double* w = problem.parameters.data();
  double* const out = room->data();
  Linearization result;
  Solution solution;
  size_t next = 0;
  Codes codes;
  const auto call = [&](const auto& work) { codes.status[next++] = engine->ranks().Agreed(work); };
  const auto linearize = [&](const Request& request) {
    call([&] { return engine->Linearize(w, request, 0.1, nullptr, {}, &result); });
  };
  call([&] { return engine->Evaluate(w, {}, out); });
  linearize(Route::kPrimal);
  call([&] { return engine->Solve({.mu = 1.0, .decay = 0.1}, {}, out, &solution); });
  call([&] { return engine->Accelerate(out, nullptr, {}, out + p); });
  call([&] { return engine->HessianProduct(1, w, {}, out); });
  linearize(Route::kMatrixFree);
  call([&] { return engine->curvature().Multiply(1, w, {}, out); });
  call([&] { return engine->curvature().LayerFactors({}, out); });
  call([&] { return engine->TransposeProduct(w, 1, problem.coefficients.data(), {}, out); });
  linearize(Route::kOrthogonal);
  call([&] { return engine->Solve({.mu = 1.0, .decay = 0.1}, {}, out, &solution); });
  linearize(Request(Route::kPrimal, Precision::kSingle));
  call([&] { return engine->Solve({.mu = 1.0, .decay = 0.1}, {}, out, &solution); });
  linearize(Route::kPrimal);
  call([&] { return engine->Evaluate(w, {}, out); });
  CHECK(next == kCalls, "%zu calls", next);
  return codes;
}

long refusals = 0;

// True if no allocation has the number `at`.
bool Walk(const Problem& problem, long at) {
  ThreadRanks world(2, 2);
  Codes codes[2];
  std::barrier start(2);
  long seen = 0;
  world.Run([&](size_t rank) {
    Engine engine(problem.net, 1, world.share(rank), world.ranks(rank));
    problem.Give({0, problem.n}, &engine);
    Vector room(2 * problem.net.parameter_count + LayerFactorsSize(problem.net));
    start.arrive_and_wait();
    if (rank == 0) Faults::Arm(at);
    start.arrive_and_wait();
    codes[rank] = Sequence(problem, &engine, &room);
    start.arrive_and_wait();
    if (rank == 0) seen = Faults::Disarm();
    start.arrive_and_wait();
  });
  size_t refused = 0;
  for (size_t k = 0; k < kCalls; ++k) {
    const Status &here = codes[0].status[k], &there = codes[1].status[k];
    const bool known =
        here.ok() || here.code == Code::kMemory || (here.code == Code::kMisuse && refused > 0);
    CHECK(here.code == there.code && here.value == there.value && known,
          "allocation %ld, call %zu: code %d and %d", at, k, static_cast<int>(here.code),
          static_cast<int>(there.code));
    refused += here.code == Code::kMemory ? 1 : 0;
    if (here.code == Code::kMemory)
      CHECK((here.elsewhere == 1) != (there.elsewhere == 0), "ranks %d and %d", here.elsewhere,
            there.elsewhere);
  }
  const bool end = seen <= at;
  // A sort does without its scratch.
  CHECK(refused <= (end ? 0u : 1u), "allocation %ld of %ld: %zu calls refused", at, seen, refused);
  refusals += static_cast<long>(refused);
  return end;
}

}  // namespace

int main() {
  const Problem problem({3, 5, 2}, {LossKind::kHuber, 0.8}, 40);
  long at = 0;
  while (!Walk(problem, at)) ++at;
  CHECK(refusals > 50 && refusals > 9 * at / 10, "%ld of %ld allocations refused a call", refusals,
        at);
  return Finish();
}
