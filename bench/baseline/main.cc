// Times bare OpenBLAS for the harness in bench/. Commands come on stdin, one JSON line answers
// each, and in between the process sleeps on its stdin, so that the harness can alternate our runs
// with these:
//
//   dsyrk DEPTH SIZE THREADS   C (SIZE x SIZE, one triangle) = A^T A with A of DEPTH rows
//   ssyrk DEPTH SIZE THREADS   the same in float
//   dgeqrf ROWS SIZE THREADS   QR factorization of ROWS x SIZE
//   dpotrf SIZE THREADS        Cholesky factor; dposv: factor and one right side
//   dgemm M N K THREADS        C (M x N) = A B
//   config | free | quit
//
// Buffers stay from command to command of one shape. Where a routine leaves a choice (triangle,
// storage order of A) all are tried once and the fastest is used from then on: the baseline is the
// best that a caller can get from one call.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>

extern "C" {
void dsyrk_(const char*, const char*, const int*, const int*, const double*, const double*,
            const int*, const double*, double*, const int*);
void ssyrk_(const char*, const char*, const int*, const int*, const float*, const float*,
            const int*, const float*, float*, const int*);
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*,
            const double*, const int*, const double*, const int*, const double*, double*,
            const int*);
void dpotrf_(const char*, const int*, double*, const int*, int*);
void dpotrs_(const char*, const int*, const int*, const double*, const int*, double*, const int*,
             int*);
void dgeqrf_(const int*, const int*, double*, const int*, double*, double*, const int*, int*);
void openblas_set_num_threads(int);
char* openblas_get_config(void);
char* openblas_get_corename(void);
int openblas_get_parallel(void);
}

namespace {

// An idle OpenBLAS worker spins before it sleeps, from 30 ms up to well over 100 ms by the clock
// its count of ticks is read from. We answer only when that is over, so that it takes no core from
// the run that the harness times next: a whole interval in which the process used no processor.
constexpr auto kInterval = std::chrono::milliseconds(20);
constexpr int kIntervals = 100;

void rest() {
  for (int i = 0; i < kIntervals; i++) {
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(kInterval);
    if (std::clock() - before < CLOCKS_PER_SEC / 1000) return;
  }
}

struct Variant {
  char uplo;
  char trans;
};
constexpr Variant kSyrkVariants[] = {{'U', 'N'}, {'L', 'N'}, {'U', 'T'}, {'L', 'T'}};
constexpr Variant kPotrfVariants[] = {{'U', '-'}, {'L', '-'}};

template <typename T>
void fill_uniform(T* values, size_t count) {
  std::uint64_t state = 0x9E3779B97F4A7C15u;
  for (size_t i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    values[i] = static_cast<T>(static_cast<double>(state >> 11) * 0x1p-52 - 1.0);
  }
}

template <typename F>
double seconds_of(F&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void syrk(Variant v, int size, int depth, const double* a, double* c) {
  const double one = 1.0, zero = 0.0;
  const int lda = v.trans == 'N' ? size : depth;
  dsyrk_(&v.uplo, &v.trans, &size, &depth, &one, a, &lda, &zero, c, &size);
}
void syrk(Variant v, int size, int depth, const float* a, float* c) {
  const float one = 1.0f, zero = 0.0f;
  const int lda = v.trans == 'N' ? size : depth;
  ssyrk_(&v.uplo, &v.trans, &size, &depth, &one, a, &lda, &zero, c, &size);
}

// What is kept between commands of one shape.
struct State {
  std::string shape;
  std::unique_ptr<double[]> a, b, c;
  std::unique_ptr<float[]> af, cf;
  Variant best{'U', 'N'};
};

// Runs every variant twice (the first call warms caches and threads) and keeps the faster one.
template <size_t N, typename F>
Variant fastest(const Variant (&variants)[N], F&& run) {
  Variant best = variants[0];
  double least = 1e300;
  run(best);
  for (const Variant v : variants) {
    const double seconds = run(v);
    if (seconds < least) {
      least = seconds;
      best = v;
    }
  }
  return best;
}

void answer(double seconds, Variant v) {
  rest();
  std::printf("{\"seconds\":%.9f,\"uplo\":\"%c\",\"trans\":\"%c\"}\n", seconds, v.uplo, v.trans);
}

template <typename T>
void run_syrk(State& state, std::unique_ptr<T[]>& a, std::unique_ptr<T[]>& c, int depth, int size,
              bool fresh) {
  auto run = [&](Variant v) { return seconds_of([&] { syrk(v, size, depth, a.get(), c.get()); }); };
  if (fresh) {
    const size_t count = static_cast<size_t>(depth) * size;
    a.reset(new T[count]);  // the same numbers serve as row-major and as column-major A
    c.reset(new T[static_cast<size_t>(size) * size]());
    fill_uniform(a.get(), count);
    state.best = fastest(kSyrkVariants, run);
  }
  answer(run(state.best), state.best);
}

bool run_potrf(State& state, int size, bool with_solve, bool fresh) {
  const size_t count = static_cast<size_t>(size) * size;
  int info = 0;
  auto run = [&](Variant v) {
    std::copy(state.a.get(), state.a.get() + count, state.c.get());
    for (int i = 0; i < size; i++) state.b[static_cast<size_t>(i)] = 1.0;
    const int one = 1;
    return seconds_of([&] {
      dpotrf_(&v.uplo, &size, state.c.get(), &size, &info);
      if (with_solve && info == 0)
        dpotrs_(&v.uplo, &size, &one, state.c.get(), &size, state.b.get(), &size, &info);
    });
  };
  if (fresh) {
    state.a.reset(new double[count]);
    state.c.reset(new double[count]);
    state.b.reset(new double[static_cast<size_t>(size)]);
    fill_uniform(state.a.get(), count);
    for (int j = 0; j < size; j++)  // diagonally dominant: positive definite whatever the rest is
      state.a[static_cast<size_t>(j) * size + j] = 2.0 * size;
    state.best = fastest(kPotrfVariants, run);
  }
  const double seconds = run(state.best);
  if (info != 0) return false;
  answer(seconds, state.best);
  return true;
}

bool run_geqrf(State& state, int rows, int size, bool fresh) {
  const size_t count = static_cast<size_t>(rows) * size;
  int info = 0, length = -1;
  double wanted = 0.0;
  dgeqrf_(&rows, &size, nullptr, &rows, nullptr, &wanted, &length, &info);
  length = static_cast<int>(wanted);
  if (fresh) {
    state.a.reset(new double[count]);
    state.b.reset(new double[static_cast<size_t>(size + length)]);
    state.c.reset(new double[count]);
    fill_uniform(state.a.get(), count);
  }
  auto run = [&] {
    std::copy(state.a.get(), state.a.get() + count, state.c.get());
    double* work = state.b.get() + size;
    return seconds_of(
        [&] { dgeqrf_(&rows, &size, state.c.get(), &rows, state.b.get(), work, &length, &info); });
  };
  if (fresh) run();
  const double seconds = run();
  if (info != 0) return false;
  answer(seconds, {'-', 'N'});
  return true;
}

void run_gemm(State& state, int m, int n, int k, bool fresh) {
  if (fresh) {
    state.a.reset(new double[static_cast<size_t>(m) * k]);
    state.b.reset(new double[static_cast<size_t>(k) * n]);
    state.c.reset(new double[static_cast<size_t>(m) * n]());
    fill_uniform(state.a.get(), static_cast<size_t>(m) * k);
    fill_uniform(state.b.get(), static_cast<size_t>(k) * n);
  }
  auto run = [&] {
    const double one = 1.0, zero = 0.0;
    dgemm_("N", "N", &m, &n, &k, &one, state.a.get(), &m, state.b.get(), &k, &zero, state.c.get(),
           &m);
  };
  if (fresh) run();
  answer(seconds_of(run), {'-', 'N'});
}

void refuse(const std::string& why) { std::printf("{\"error\":\"%s\"}\n", why.c_str()); }

bool positive(std::istringstream& words, int count, int* values) {
  for (int i = 0; i < count; i++)
    if (!(words >> values[i]) || values[i] < 1) return false;
  openblas_set_num_threads(values[count - 1]);
  return true;
}

// Answers one command; false ends the program.
bool handle(State& state, const std::string& line) {
  std::istringstream words(line);
  std::string name;
  words >> name;
  int v[4] = {0, 0, 0, 0};
  if (name == "quit") return false;
  if (name == "free") {
    state = State{};
    std::printf("{}\n");
    return true;
  }
  if (name == "config") {
    std::printf("{\"config\":\"%s\",\"core\":\"%s\",\"parallel\":%d}\n", openblas_get_config(),
                openblas_get_corename(), openblas_get_parallel());
    return true;
  }
  const int numbers = name == "dsyrk" || name == "ssyrk" || name == "dgeqrf" ? 3
                      : name == "dpotrf" || name == "dposv"                  ? 2
                                                                             : 4;
  if (numbers == 4 && name != "dgemm") {
    refuse("unknown command " + name);
    return true;
  }
  if (!positive(words, numbers, v)) {
    refuse(name + " needs " + std::to_string(numbers) + " positive numbers");
    return true;
  }
  const bool fresh = state.shape != line;
  if (fresh) state = State{};
  if (name == "dsyrk") run_syrk(state, state.a, state.c, v[0], v[1], fresh);
  if (name == "ssyrk") run_syrk(state, state.af, state.cf, v[0], v[1], fresh);
  if (name == "dgemm") run_gemm(state, v[0], v[1], v[2], fresh);
  if (name == "dgeqrf" && !run_geqrf(state, v[0], v[1], fresh)) refuse("dgeqrf failed");
  if (numbers == 2 && !run_potrf(state, v[0], name == "dposv", fresh)) refuse("dpotrf failed");
  state.shape = line;
  return true;
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 12);
  State state;
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      if (!handle(state, line)) return 0;
    } catch (const std::bad_alloc&) {
      state = State{};
      refuse("not enough memory for " + line);
    }
  }
  return 0;
}
