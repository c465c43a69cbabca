// Implements the wrappers of BLAS and LAPACK routines (blas.h), holds OpenBLAS to one thread and
// maps its work buffers before they are needed.
#include "blas.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#ifndef _WIN32
#include <sys/mman.h>
#endif

#include "guarded.h"

extern "C" {
// The trailing size_t arguments are the lengths of the character arguments, which gfortran's
// callees may expect.
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*,
            const double*, const int*, const double*, const int*, const double*, double*,
            const int*, size_t, size_t);
void dsyrk_(const char*, const char*, const int*, const int*, const double*, const double*,
            const int*, const double*, double*, const int*, size_t, size_t);
void dtrsm_(const char*, const char*, const char*, const char*, const int*, const int*,
            const double*, const double*, const int*, double*, const int*, size_t, size_t, size_t,
            size_t);
void dtrsv_(const char*, const char*, const char*, const int*, const double*, const int*, double*,
            const int*, size_t, size_t, size_t);
void dgemv_(const char*, const int*, const int*, const double*, const double*, const int*,
            const double*, const int*, const double*, double*, const int*, size_t);
void sgemv_(const char*, const int*, const int*, const float*, const float*, const int*,
            const float*, const int*, const float*, float*, const int*, size_t);
void dsymv_(const char*, const int*, const double*, const double*, const int*, const double*,
            const int*, const double*, double*, const int*, size_t);
void dpotrf_(const char*, const int*, double*, const int*, int*, size_t);
void dpocon_(const char*, const int*, const double*, const int*, const double*, double*, double*,
             int*, int*, size_t);
void dtrmv_(const char*, const char*, const char*, const int*, const double*, const int*, double*,
            const int*, size_t, size_t, size_t);
void dtpqrt_(const int*, const int*, const int*, const int*, double*, const int*, double*,
             const int*, double*, const int*, double*, int*);
void dtpmqrt_(const char*, const char*, const int*, const int*, const int*, const int*, const int*,
              const double*, const int*, const double*, const int*, double*, const int*, double*,
              const int*, double*, int*, size_t, size_t);
void dgelsy_(const int*, const int*, const int*, double*, const int*, double*, const int*, int*,
             const double*, int*, double*, const int*, int*);
void dsyevd_(const char*, const char*, const int*, double*, const int*, double*, double*,
             const int*, int*, const int*, int*, size_t, size_t);
void dsytrf_(const char*, const int*, double*, const int*, int*, double*, const int*, int*, size_t);
void dgejsv_(const char*, const char*, const char*, const char*, const char*, const char*,
             const int*, const int*, double*, const int*, double*, double*, const int*, double*,
             const int*, double*, const int*, int*, int*, size_t, size_t, size_t, size_t, size_t,
             size_t);
void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*,
            const float*, const int*, const float*, const int*, const float*, float*, const int*,
            size_t, size_t);
void ssyrk_(const char*, const char*, const int*, const int*, const float*, const float*,
            const int*, const float*, float*, const int*, size_t, size_t);
void strsm_(const char*, const char*, const char*, const char*, const int*, const int*,
            const float*, const float*, const int*, float*, const int*, size_t, size_t, size_t,
            size_t);
void strsv_(const char*, const char*, const char*, const int*, const float*, const int*, float*,
            const int*, size_t, size_t, size_t);
void spotrf_(const char*, const int*, float*, const int*, int*, size_t);
int idamax_(const void*, const double*, const int*);

// OpenBLAS extras; weak, so that another BLAS links too.
__attribute__((weak)) void openblas_set_num_threads(int);
__attribute__((weak)) char* openblas_get_config();
__attribute__((weak)) char* openblas_get_corename();
__attribute__((weak)) int openblas_get_parallel();
// Of OpenBLAS's own, exported by its shared library: a work buffer of one call.
__attribute__((weak)) void* blas_memory_alloc(int);
__attribute__((weak)) void blas_memory_free(void*);
}

namespace gaussflow::blas {

namespace {
int Int(size_t value) { return static_cast<int>(value); }
}  // namespace

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha, const double* a,
          size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc) {
  const int mi = Int(m), ni = Int(n), ki = Int(k), lai = Int(lda), lbi = Int(ldb), lci = Int(ldc);
  dgemm_(&trans_a, &trans_b, &mi, &ni, &ki, &alpha, a, &lai, b, &lbi, &beta, c, &lci, 1, 1);
}

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
          size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  const int mi = Int(m), ni = Int(n), ki = Int(k), lai = Int(lda), lbi = Int(ldb), lci = Int(ldc);
  sgemm_(&trans_a, &trans_b, &mi, &ni, &ki, &alpha, a, &lai, b, &lbi, &beta, c, &lci, 1, 1);
}

void SyrkLower(size_t n, size_t k, double alpha, const double* a, size_t lda, double beta,
               double* c, size_t ldc) {
  const int ni = Int(n), ki = Int(k), lai = Int(lda), lci = Int(ldc);
  dsyrk_("L", "N", &ni, &ki, &alpha, a, &lai, &beta, c, &lci, 1, 1);
}

void SyrkLower(size_t n, size_t k, float alpha, const float* a, size_t lda, float beta, float* c,
               size_t ldc) {
  const int ni = Int(n), ki = Int(k), lai = Int(lda), lci = Int(ldc);
  ssyrk_("L", "N", &ni, &ki, &alpha, a, &lai, &beta, c, &lci, 1, 1);
}

void TrsmRightLowerTranspose(size_t m, size_t n, const double* l, size_t ldl, double* b,
                             size_t ldb) {
  const int mi = Int(m), ni = Int(n), lli = Int(ldl), lbi = Int(ldb);
  const double one = 1.0;
  dtrsm_("R", "L", "T", "N", &mi, &ni, &one, l, &lli, b, &lbi, 1, 1, 1, 1);
}

void TrsmRightLowerTranspose(size_t m, size_t n, const float* l, size_t ldl, float* b, size_t ldb) {
  const int mi = Int(m), ni = Int(n), lli = Int(ldl), lbi = Int(ldb);
  const float one = 1.0F;
  strsm_("R", "L", "T", "N", &mi, &ni, &one, l, &lli, b, &lbi, 1, 1, 1, 1);
}

void TrsmLeftLower(bool transpose, size_t m, size_t n, const double* l, size_t ldl, double* b,
                   size_t ldb) {
  const int mi = Int(m), ni = Int(n), lli = Int(ldl), lbi = Int(ldb);
  const double one = 1.0;
  dtrsm_("L", "L", transpose ? "T" : "N", "N", &mi, &ni, &one, l, &lli, b, &lbi, 1, 1, 1, 1);
}

void Gemv(char trans, size_t m, size_t n, double alpha, const double* a, size_t lda,
          const double* x, double beta, double* y) {
  const int mi = Int(m), ni = Int(n), lai = Int(lda), one = 1;
  dgemv_(&trans, &mi, &ni, &alpha, a, &lai, x, &one, &beta, y, &one, 1);
}

void TrsmLeftLower(bool transpose, size_t m, size_t n, const float* l, size_t ldl, float* b,
                   size_t ldb) {
  const int mi = Int(m), ni = Int(n), lli = Int(ldl), lbi = Int(ldb);
  const float one = 1.0F;
  strsm_("L", "L", transpose ? "T" : "N", "N", &mi, &ni, &one, l, &lli, b, &lbi, 1, 1, 1, 1);
}

void Gemv(char trans, size_t m, size_t n, float alpha, const float* a, size_t lda, const float* x,
          float beta, float* y) {
  const int mi = Int(m), ni = Int(n), lai = Int(lda), one = 1;
  sgemv_(&trans, &mi, &ni, &alpha, a, &lai, x, &one, &beta, y, &one, 1);
}

int Potrf(size_t n, double* a, size_t lda) {
  const int ni = Int(n), lai = Int(lda);
  int info = 0;
  dpotrf_("L", &ni, a, &lai, &info, 1);
  return info;
}

int Potrf(size_t n, float* a, size_t lda) {
  const int ni = Int(n), lai = Int(lda);
  int info = 0;
  spotrf_("L", &ni, a, &lai, &info, 1);
  return info;
}

void TrsvLower(bool transpose, size_t n, const double* l, size_t ldl, double* x) {
  const int ni = Int(n), lli = Int(ldl), one = 1;
  dtrsv_("L", transpose ? "T" : "N", "N", &ni, l, &lli, x, &one, 1, 1, 1);
}

void TrsvLower(bool transpose, size_t n, const float* l, size_t ldl, float* x) {
  const int ni = Int(n), lli = Int(ldl), one = 1;
  strsv_("L", transpose ? "T" : "N", "N", &ni, l, &lli, x, &one, 1, 1, 1);
}

void SymvUpper(size_t n, double alpha, const double* a, size_t lda, const double* x, double beta,
               double* y) {
  const int ni = Int(n), lai = Int(lda), one = 1;
  dsymv_("U", &ni, &alpha, a, &lai, x, &one, &beta, y, &one, 1);
}

double Pocon(size_t n, const double* l, size_t ldl, double norm, double* work, int* iwork) {
  const int ni = Int(n), lli = Int(ldl);
  int info = 0;
  double reciprocal = 0.0;
  dpocon_("L", &ni, l, &lli, &norm, &reciprocal, work, iwork, &info, 1);
  return info == 0 ? reciprocal : 0.0;
}

void TrsvUpper(bool transpose, size_t n, const double* r, size_t ldr, double* x) {
  const int ni = Int(n), lri = Int(ldr), one = 1;
  dtrsv_("U", transpose ? "T" : "N", "N", &ni, r, &lri, x, &one, 1, 1, 1);
}

void TrmvUpper(bool transpose, size_t n, const double* r, size_t ldr, double* x) {
  const int ni = Int(n), lri = Int(ldr), one = 1;
  dtrmv_("U", transpose ? "T" : "N", "N", &ni, r, &lri, x, &one, 1, 1, 1);
}

void Tpqrt(size_t m, size_t n, size_t panel, double* r, size_t ldr, double* b, size_t ldb,
           double* t, size_t ldt, double* work) {
  const int mi = Int(m), ni = Int(n), zero = 0, nb = Int(panel), lri = Int(ldr), lbi = Int(ldb),
            lti = Int(ldt);
  int info = 0;
  dtpqrt_(&mi, &ni, &zero, &nb, r, &lri, b, &lbi, t, &lti, work, &info);
}

void TpmqrtTranspose(size_t m, size_t n, size_t panel, const double* v, size_t ldv, const double* t,
                     size_t ldt, double* r, size_t ldr, double* b, size_t ldb, double* work) {
  const int mi = Int(m), ni = Int(n), k = Int(panel), zero = 0, lvi = Int(ldv), lti = Int(ldt),
            lri = Int(ldr), lbi = Int(ldb);
  int info = 0;
  dtpmqrt_("L", "T", &mi, &ni, &k, &zero, &k, v, &lvi, t, &lti, r, &lri, b, &lbi, work, &info, 1,
           1);
}

size_t Gelsy(size_t m, size_t n, double* a, size_t lda, double* b, double tolerance) {
  const int mi = Int(m), ni = Int(n), lai = Int(lda), one = 1, ldb = Int(m > n ? m : n), query = -1;
  auto pivots = Zeros<int>(n);
  int rank = 0, info = 0;
  double size = 0.0;
  dgelsy_(&mi, &ni, &one, a, &lai, b, &ldb, pivots.data(), &tolerance, &rank, &size, &query, &info);
  auto work = Zeros<double>(static_cast<size_t>(size));
  const int length = Int(work.size());
  dgelsy_(&mi, &ni, &one, a, &lai, b, &ldb, pivots.data(), &tolerance, &rank, work.data(), &length,
          &info);
  return static_cast<size_t>(rank);
}

bool SymmetricEigen(bool vectors, size_t n, double* a, double* values) {
  const int ni = Int(n), query = -1;
  int info = 0, integers = 0;
  double size = 0.0;
  const char* job = vectors ? "V" : "N";
  dsyevd_(job, "U", &ni, a, &ni, values, &size, &query, &integers, &query, &info, 1, 1);
  auto work = Zeros<double>(static_cast<size_t>(size));
  auto iwork = Zeros<int>(static_cast<size_t>(integers));
  const int length = Int(work.size()), ilength = Int(iwork.size());
  dsyevd_(job, "U", &ni, a, &ni, values, work.data(), &length, iwork.data(), &ilength, &info, 1, 1);
  return info == 0;
}

size_t NegativeInertia(size_t n, double* a) {
  const int ni = Int(n), query = -1;
  int info = 0;
  double size = 0.0;
  auto pivots = Zeros<int>(n);
  dsytrf_("U", &ni, a, &ni, pivots.data(), &size, &query, &info, 1);
  auto work = Zeros<double>(static_cast<size_t>(size));
  const int length = Int(work.size());
  dsytrf_("U", &ni, a, &ni, pivots.data(), work.data(), &length, &info, 1);
  size_t negative = 0;
  for (size_t k = 0; k < n; ++k) {
    // A block of two (both pivots negative) is indefinite by construction: one eigenvalue each way.
    if (pivots[k] < 0) {
      ++negative;
      ++k;
    } else if (a[k * n + k] < 0.0) {
      ++negative;
    }
  }
  return negative;
}

bool RightSingular(size_t n, double* a, double* values, double* v) {
  const int ni = Int(n), one = 1;
  int info = 0;
  double unused = 0.0;
  // 2n and 64 columns: dgejsv knows no workspace query, and works blocked with this much.
  auto work = Zeros<double>(66 * n + 7);
  auto iwork = Zeros<int>(4 * n + 3);
  const int length = Int(work.size()), ldv = v != nullptr ? ni : 1;
  dgejsv_("C", "N", v != nullptr ? "V" : "N", "N", "N", "N", &ni, &ni, a, &ni, values, &unused,
          &one, v != nullptr ? v : &unused, &ldv, work.data(), &length, iwork.data(), &info, 1, 1,
          1, 1, 1, 1);
  // It scales where squares of the values could overflow.
  for (size_t k = 0; k < n; ++k) values[k] *= work[1] / work[0];
  return info == 0;
}

void HoldToOneThread() {
  thread_local bool held = false;
  if (held || openblas_set_num_threads == nullptr) return;
  openblas_set_num_threads(1);
  held = true;
}

namespace {

// Work buffers that are mapped, and threads that may be inside a call. The first never shrinks.
std::mutex buffers_mutex;
std::atomic<size_t> buffers{0};
std::atomic<size_t> callers{0};
thread_local int depth = 0;

// More than that OpenBLAS 0.3.21 has no place for.
constexpr size_t kMostBuffers = 256;
// What else a call may map: a thread's stack, an arena of the C library.
constexpr size_t kSpare = 16 << 20;

bool CanMap(size_t bytes) {
#ifdef _WIN32
  static_cast<void>(bytes);
  return true;
#else
  void* const trial =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (trial == MAP_FAILED) return false;
  munmap(trial, bytes);
  return true;
#endif
}

// Maps work buffers until there are `count`, and room for `spare` bytes behind them. Those that are
// there are held while another one is made: OpenBLAS hands out the first that is free. Every
// request is preceded by the trial: where other threads are inside calls, fewer are free than are
// there, and OpenBLAS maps another one already for the first.
bool MakeBuffers(size_t count, size_t spare) {
  const std::lock_guard<std::mutex> lock(buffers_mutex);
  if (count <= buffers.load()) return true;
  if (count > kMostBuffers) return false;
  if (blas_memory_alloc == nullptr || blas_memory_free == nullptr) {
    if (!CanMap((count - buffers.load()) * kWorkBuffer + spare)) return false;
    buffers.store(count);
    return true;
  }
  static void* held[kMostBuffers];
  size_t made = 0;
  while (made < count && CanMap((count - std::max(made, buffers.load())) * kWorkBuffer + spare))
    held[made++] = blas_memory_alloc(0);
  for (size_t i = made; i > 0; --i) blas_memory_free(held[i - 1]);
  if (made > buffers.load()) buffers.store(made);
  return made == count;
}

bool Admit(size_t spare) {
  const size_t count = callers.fetch_add(1) + 1;
  if (count <= buffers.load() || MakeBuffers(count, spare)) return true;
  DismissThread();
  return false;
}

}  // namespace

Caller::Caller() {
  if (depth == 0) {
    HoldToOneThread();
    if (!Admit(kSpare)) throw OutOfMemory(kWorkBuffer);
  }
  ++depth;
}

Caller::~Caller() {
  if (--depth == 0) DismissThread();
}

bool AdmitThread() { return Admit(kSpare + kWorkBuffer); }

void DismissThread() { callers.fetch_sub(1); }

void StayAdmitted() {
  HoldToOneThread();
  ++depth;
}

std::string Config() {
  return openblas_get_config != nullptr ? openblas_get_config() : "not OpenBLAS";
}

std::string CoreName() {
  return openblas_get_corename != nullptr ? openblas_get_corename() : "unknown";
}

int Parallel() { return openblas_get_parallel != nullptr ? openblas_get_parallel() : -1; }

bool HasInt32Interface() {
  // A 64-bit library reads the whole word, sees a negative length and answers 0; a 32-bit one
  // sees 3.
  const long long length = static_cast<long long>(0xffffffff00000003ULL);
  const double values[3] = {1.0, 2.0, 3.0};
  const long long one = 1;
  return idamax_(&length, values, reinterpret_cast<const int*>(&one)) == 3;
}

}  // namespace gaussflow::blas
