// Every allocation of the core is refused once, one after the other, in every call of an engine at
// every curvature. A call whose memory is refused says so, or has done without and has the bits of
// a call that had it. The same call again, and those after it, have these bits too, or refuse for
// want of a linearization; so does the whole sequence from the start.
#include <cstring>
#include <filesystem>
#include <random>
#include <string>

#include "call_sequences.h"
#include "check.h"
#include "faults.h"
#include "file_version.h"
#include "gemm.h"
#include "guarded.h"
#include "self_test.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

struct Outcome {
  long points = 0;   // allocations refused
  long refused = 0;  // calls that said so
  long wrong = 0;
};

bool Same(const Vector& a, const Vector& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// One sequence on one engine: construction, then every step. Allocation `at` is refused. Returns
// the number of allocations.
long WalkOnce(Bench& bench, const Sequence& sequence, int threads, long at,
              const std::vector<Vector>& right, Outcome* outcome) {
  const auto complain = [&](const char* step, const char* what, const Status& status) {
    ++outcome->wrong;
    CHECK(false, "%s, %d threads, allocation %ld: %s %s (code %d, value %zu)",
          sequence.name.c_str(), threads, at, step, what, static_cast<int>(status.code),
          status.value);
  };
  std::vector<Vector> out;
  for (const Step& step : sequence.steps) out.emplace_back(step.room, 0.0);
  const auto run = [&](size_t i) {
    std::fill(out[i].begin(), out[i].end(), 0.0);
    return Guarded([&] { return sequence.steps[i].call(bench, &out[i]); });
  };

  Faults::Arm(at);
  Status status = Guarded([&] { return Create(bench, threads); });
  size_t failed = sequence.steps.size();
  for (size_t i = 0; status.ok() && i < sequence.steps.size(); ++i) {
    status = run(i);
    if (!status.ok()) failed = i;
    if (status.ok() && !right.empty() && !Same(out[i], right[i]))
      complain(sequence.steps[i].name, "differs where memory was refused inside", status);
  }
  const long count = Faults::Disarm();
  if (!status.ok()) ++outcome->refused;
  if (!status.ok() && status.code != Code::kMemory) complain("a step", "has no memory", status);

  // The step that failed and those behind it, on the engine as it is.
  bool stands = true;  // the linearization
  for (size_t i = failed; i < sequence.steps.size(); ++i) {
    const Status later = run(i);
    if (later.ok() ? !Same(out[i], right[i]) : later.code != Code::kMisuse)
      complain(sequence.steps[i].name, "is wrong when called again", later);
    stands = stands && later.ok();
  }
  if (status.ok() || !bench.engine) return count;
  // From the start.
  Status again = failed == sequence.steps.size() ? Guarded([&] { return Create(bench, threads); })
                                                 : Status::Ok();
  for (size_t i = 0; again.ok() && i < sequence.steps.size(); ++i) {
    again = run(i);
    if (again.ok() && !Same(out[i], right[i]))
      complain(sequence.steps[i].name, "is wrong from the start", again);
  }
  if (!again.ok()) complain("the sequence", "fails from the start", again);
  return count;
}

void Walk(Bench& bench, const char* problem, int threads, Outcome* total) {
  for (const Sequence& sequence : Sequences(bench)) {
    std::vector<Vector> right;
    Status status = Create(bench, 1);
    for (const Step& step : sequence.steps) {
      right.emplace_back(step.room, 0.0);
      if (status.ok()) status = step.call(bench, &right.back());
      CHECK(status.ok(), "%s, %s: %s fails with code %d by itself", problem, sequence.name.c_str(),
            step.name, static_cast<int>(status.code));
    }
    Outcome outcome;
    // The number of allocations differs by a few with the threads' luck.
    const long count = WalkOnce(bench, sequence, threads, -1, right, &outcome);
    for (long at = 0; at < count; ++at, ++outcome.points)
      WalkOnce(bench, sequence, threads, at, right, &outcome);
    std::printf("%-12s %d threads  %-36s %5ld points  %5ld refused  %ld wrong\n", problem, threads,
                sequence.name.c_str(), outcome.points, outcome.refused, outcome.wrong);
    total->points += outcome.points;
    total->refused += outcome.refused;
    total->wrong += outcome.wrong;
  }
}

#ifndef _WIN32
// The problem's samples as rows of a file, scaled by (x - 0) / 1.
void PutInFile(Bench* bench, const std::string& path) {
  const size_t d = bench->net.input_size, c = bench->net.output_size;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  for (size_t i = 0; i < bench->n; ++i) {
    std::fwrite(bench->inputs.data() + i * d, sizeof(double), d, file);
    std::fwrite(bench->targets.data() + i * c, sizeof(double), c, file);
  }
  std::fclose(file);
  FileLayout layout;
  layout.path = path;
  layout.width = d + c;
  layout.version = VersionOf(path);
  layout.column_offset.assign(d + c, 0.0);
  layout.column_scale.assign(d + c, 1.0);
  bench->file = layout;
}
#endif

// The self-test, which comes before all else.
void WalkSelfTest(Outcome* total) {
  Faults::Arm(-1);
  CHECK(TestBlas(64).ok, "the self-test");
  const long count = Faults::Disarm();
  for (long at = 0; at < count; ++at, ++total->points) {
    Faults::Arm(at);
    bool refused = false;
    try {
      refused = !TestBlas(64).ok;
    } catch (const std::bad_alloc&) {  // no memory to say so in
      refused = true;
    }
    Faults::Disarm();
    total->refused += refused ? 1 : 0;
  }
  CHECK(TestBlas(64).ok, "the self-test once there is memory again");
}

// The room that the matrix product packs in, which lasts from the first product to the end of the
// program: refused until it is whole.
void WalkPacking(Outcome* total) {
  const size_t n = 160;
  const Vector a = Draw(1).Normals(n * n), b = Draw(2).Normals(n * n);
  Vector c(n * n);
  Status status = Status::Memory(0);
  while (!status.ok()) {
    CHECK(status.code == Code::kMemory, "a product ends with code %d",
          static_cast<int>(status.code));
    Faults::Arm(total->points);
    status = Guarded([&] {
      Gemm('N', 'N', n, n, n, 1.0, a.data(), n, b.data(), n, 0.0, c.data(), n);
      return Status::Ok();
    });
    Faults::Disarm();
    if (!status.ok()) ++total->points, ++total->refused;
  }
  CHECK(!GemmIsOurs(n, n, n) || total->points > 0, "the product packs in a room of its own");
}

}  // namespace

int main() {
  Outcome total;
  WalkPacking(&total);
  const Problem small = {{3, 4, 3, 2}, 24, true};
  // Matrices from the mapped regions of buffer.h, several blocks of the factorization.
  const Problem larger = {{3, 8, 12, 2}, 130, false};
  for (const int threads : {1, 2}) {
    Bench bench(small);
    Walk(bench, "small", threads, &total);
    // What one thread asks for two ask for too.
    if (Small() || threads == 1) continue;
    Bench large(larger);
    Walk(large, "larger", threads, &total);
    Bench slots({{3, 8, 12, 2}, 130, true, 8});
    Walk(slots, "slots", threads, &total);
  }
#ifndef _WIN32
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("gaussflow-allocations-" + std::to_string(std::random_device{}())))
                               .string();
  Bench bench(small);
  PutInFile(&bench, path);
  Walk(bench, "file", 2, &total);
  Bench slots({small.sizes, small.n, true, 8});
  PutInFile(&slots, path);
  Walk(slots, "slots, file", 2, &total);
  std::filesystem::remove(path);
#endif
  WalkSelfTest(&total);
  std::printf("%ld points, 0 crashes, %ld refused, %ld wrong results\n", total.points,
              total.refused, total.wrong);
  CHECK(total.points > 2000, "only %ld allocations were refused", total.points);
  return Finish();
}
