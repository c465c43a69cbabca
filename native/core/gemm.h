// Multiplies matrices: C (m x n) = alpha op(A) op(B) + beta C, column-major, on the calling thread;
// op is 'N' or 'T', and C is not read if beta is 0. Passes (tangents.cc), products (products.cc),
// Cholesky and the systems in curvature/ call it inside of their tasks.
//
// In double precision, on processors with AVX-512 and for products that are not small, the code of
// this file computes it: its register tile uses nine tenths of the multipliers' time, that of
// OpenBLAS 0.3 three quarters (see products-64-512-512-8 and cholesky-3000 in docs/benchmarks.md).
// OpenBLAS computes single precision, small products and products on other processors, where it is
// as fast or faster, and products for whose packed operands (a megabyte) there is no memory. This
// file's code multiplies by alpha = 0 like by any other number.
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

// Bytes in which a thread packs the operands of its products; the process keeps them.
size_t PackedBytes();

// True if this file's code computes a product of these sizes in double precision.
bool GemmIsOurs(size_t m, size_t n, size_t k);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_GEMM_H_
