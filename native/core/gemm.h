// C (m x n) = alpha op(A) op(B) + beta C, column-major, by the thread that calls it; op is 'N' or
// 'T', and C is not read where beta is 0.
//
// In double precision, where the processor has AVX-512 and the product is not small, it is ours:
// its register tile keeps the multipliers nine tenths busy, that of OpenBLAS 0.3 three quarters
// (the cases products-64-512-512-8 and cholesky-3000 of docs/benchmarks.md rest on it). Single
// precision, small products and other processors are left to OpenBLAS, which is as fast there or
// faster; so is a product for whose packed operands (a megabyte) there is no memory. Ours
// multiplies by alpha = 0 as by any number.
#ifndef GAUSSFLOW_CORE_GEMM_H_
#define GAUSSFLOW_CORE_GEMM_H_

#include <cstddef>

namespace gaussflow {

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha, const double* a,
          size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc);
void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
          size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc);

// The same in double precision on several threads, for few rows and a very large B: each task has
// some columns of C. The blocks depend on the sizes alone, and where the product is ours they do
// not change its bits.
void GemmByColumns(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha,
                   const double* a, size_t lda, const double* b, size_t ldb, double beta, double* c,
                   size_t ldc, int threads);

// Whether the product of these sizes in double precision is ours here.
bool GemmIsOurs(size_t m, size_t n, size_t k);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_GEMM_H_
