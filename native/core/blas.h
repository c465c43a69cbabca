// Declares the BLAS and LAPACK functions that the core calls (cholesky.cc, gemm.cc and the systems
// in curvature/), by their Fortran symbols (Debian's OpenBLAS has no LAPACKE; Ceres does the same),
// all with 32-bit integers, column-major. BLAS runs on one thread in every thread that calls it,
// and thread_pool.h does the threading, because OpenBLAS's own threads lose work when the process
// forks and may not be used by several callers at once.
#ifndef GAUSSFLOW_CORE_BLAS_H_
#define GAUSSFLOW_CORE_BLAS_H_

#include <cstddef>
#include <string>

namespace gaussflow::blas {

// C (m x n) = alpha op(A) op(B) + beta C.
void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha, const double* a,
          size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc);
void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
          size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc);
// Lower triangle of C (n x n) = alpha A A^T + beta C, A n x k.
void SyrkLower(size_t n, size_t k, double alpha, const double* a, size_t lda, double beta,
               double* c, size_t ldc);
void SyrkLower(size_t n, size_t k, float alpha, const float* a, size_t lda, float beta, float* c,
               size_t ldc);
// B (m x n) = B L^-T, L n x n lower triangular.
void TrsmRightLowerTranspose(size_t m, size_t n, const double* l, size_t ldl, double* b,
                             size_t ldb);
void TrsmRightLowerTranspose(size_t m, size_t n, const float* l, size_t ldl, float* b, size_t ldb);
// B (m x n) = L^-1 B, or L^-T B.
void TrsmLeftLower(bool transpose, size_t m, size_t n, const double* l, size_t ldl, double* b,
                   size_t ldb);
void TrsmLeftLower(bool transpose, size_t m, size_t n, const float* l, size_t ldl, float* b,
                   size_t ldb);
// y = alpha op(A) x + beta y, A m x n.
void Gemv(char trans, size_t m, size_t n, double alpha, const double* a, size_t lda,
          const double* x, double beta, double* y);
void Gemv(char trans, size_t m, size_t n, float alpha, const float* a, size_t lda, const float* x,
          float beta, float* y);
// Lower Cholesky in place. 0, or the 1-based pivot that is not positive.
int Potrf(size_t n, double* a, size_t lda);
int Potrf(size_t n, float* a, size_t lda);
// x = L^-1 x, or L^-T x.
void TrsvLower(bool transpose, size_t n, const double* l, size_t ldl, double* x);
void TrsvLower(bool transpose, size_t n, const float* l, size_t ldl, float* x);
// y = alpha A x + beta y, A symmetric with its upper triangle stored.
void SymvUpper(size_t n, double alpha, const double* a, size_t lda, const double* x, double beta,
               double* y);
// Reciprocal 1-norm condition number of L L^T whose 1-norm is `norm`; work 3n doubles, iwork n
// ints.
double Pocon(size_t n, const double* l, size_t ldl, double norm, double* work, int* iwork);

// x = R^-1 x or R^-T x, and x = R x or R^T x, R upper triangular.
void TrsvUpper(bool transpose, size_t n, const double* r, size_t ldr, double* x);
void TrmvUpper(bool transpose, size_t n, const double* r, size_t ldr, double* x);
// QR of [R; B], R n x n upper, B m x n: R is replaced, B holds the reflectors. t: panel x n
// doubles, work likewise.
void Tpqrt(size_t m, size_t n, size_t panel, double* r, size_t ldr, double* b, size_t ldb,
           double* t, size_t ldt, double* work);
// Q^T [R; B] for the reflectors v of such a factorization of `panel` columns: R panel x n, B m x n.
// work: panel x n doubles.
void TpmqrtTranspose(size_t m, size_t n, size_t panel, const double* v, size_t ldv, const double* t,
                     size_t ldt, double* r, size_t ldr, double* b, size_t ldb, double* work);
// Least norm least squares solution of A x = b (m x n) in place of b (max(m, n) doubles) by pivoted
// QR; the rank at the relative tolerance.
size_t Gelsy(size_t m, size_t n, double* a, size_t lda, double* b, double tolerance);
// Eigenvalues ascending of a whole symmetric matrix; with `vectors` its columns become them.
bool SymmetricEigen(bool vectors, size_t n, double* a, double* values);
// Number of negative eigenvalues of a symmetric matrix (upper triangle, lost) by LDL^T and
// Sylvester's law of inertia.
size_t NegativeInertia(size_t n, double* a);
// Singular values descending of a square matrix, which is lost; v (n x n) or null gets the right
// vectors as columns. One-sided Jacobi: a = B D with a diagonal D costs the tiny values only what
// the condition number of B does, where bidiagonalization loses all below eps times the largest.
bool RightSingular(size_t n, double* a, double* values, double* v);

// Holds BLAS to one thread for the calling thread (OpenMP builds count per thread, pthread builds
// per process).
void HoldToOneThread();

// Address space that OpenBLAS maps for every thread that is inside one of its calls at a time. It
// keeps the mapping for the next caller, and where it cannot have it, it asks again for ever.
constexpr size_t kWorkBuffer = 128 << 20;

// While one lives, this thread may call the BLAS: its work buffer is mapped. Throws OutOfMemory
// where it cannot be. May be nested; the inner ones cost nothing.
class Caller {
 public:
  Caller();
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
};

// The same in two halves for a thread that calls the BLAS until the end of the process: whoever
// starts it admits it first, and it begins with StayAdmitted. An additional thread must leave as
// much address space again, which the problem needs more.
bool AdmitThread();
void DismissThread();
void StayAdmitted();
// Library description, kernel name and threading kind (0 serial, 1 pthread, 2 OpenMP, -1 unknown),
// as OpenBLAS tells them.
std::string Config();
std::string CoreName();
int Parallel();
// False when the linked library uses 64-bit integers under the same names: calling it would corrupt
// memory.
bool HasInt32Interface();

}  // namespace gaussflow::blas

#endif  // GAUSSFLOW_CORE_BLAS_H_
