#include "gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "blas.h"
#include "buffer.h"
#include "thread_pool.h"

namespace gaussflow {

#if defined(__x86_64__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define GAUSSFLOW_OWN_GEMM
#endif
#endif

#ifdef GAUSSFLOW_OWN_GEMM

namespace {

typedef double Vector __attribute__((vector_size(64), may_alias));
typedef double Unaligned __attribute__((vector_size(64), may_alias, aligned(8)));

constexpr size_t kLength = 8;  // of a vector
constexpr size_t kWide =
    3 * kLength;               // rows of a panel of A: three vectors by eight columns are 24
constexpr size_t kNarrow = 8;  // of the 32 registers; and columns of a panel of B
// Blocks of A and B, packed, share the second level of cache; a panel of A stays in the first.
constexpr size_t kRows = 11 * kWide;  // of a block of A: the 256 of a tile of samples at once
constexpr size_t kColumns = 256;      // of a block of B
constexpr size_t kDepth = 256;        // products summed before C is touched

// Fewer multiplications than this, or sums of fewer products, do not pay for packing both operands:
// OpenBLAS has kernels that pack nothing for them.
constexpr size_t kLeastWork = 1000000;
constexpr size_t kLeastDepth = 24;

// Rows of op(A) or columns of op(B), each over k. `along`: the next row is the next number;
// otherwise the next k is. The other step is `stride`.
struct Operand {
  const double* data;
  size_t stride;
  bool along;
};

// Eight rows of eight numbers, `stride` apart, to eight columns `width` apart.
[[gnu::always_inline]] inline void Transpose8(const double* from, size_t stride, double* to,
                                              size_t width) {
  Vector r[8], s[8];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) r[i] = *reinterpret_cast<const Unaligned*>(from + i * stride);
#pragma GCC unroll 4
  for (size_t i = 0; i < 8; i += 2) {
    s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < 4; ++q) {
    const size_t i = q / 2 * 4 + q % 2;
    r[i] = __builtin_shufflevector(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    r[i + 2] = __builtin_shufflevector(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
#pragma GCC unroll 8
  for (size_t k = 0; k < 8; ++k) *reinterpret_cast<Unaligned*>(to + k * width) = s[k];
}

// Rows [first, first + count) over [k0, k0 + depth) as panels [k][row] of `wide` rows. The last
// one has as many whole `group`s as it needs, filled up with zeros.
[[gnu::always_inline]] inline void Pack(const Operand& from, size_t first, size_t count, size_t k0,
                                        size_t depth, size_t wide, size_t group, double* to) {
  for (size_t p = 0; p < count; p += wide) {
    const size_t size = std::min(wide, count - p), width = (size + group - 1) / group * group;
    if (from.along) {
      const double* row = from.data + k0 * from.stride + first + p;
      for (size_t k = 0; k < depth; ++k, row += from.stride) {
        if (size == wide) {
          std::memcpy(to + k * width, row, wide * sizeof(double));
        } else {
          std::copy_n(row, size, to + k * width);
          std::fill_n(to + k * width + size, width - size, 0.0);
        }
      }
    } else {
      const double* row = from.data + (first + p) * from.stride + k0;
      size_t i = 0;
      for (; i + 8 <= size; i += 8, row += 8 * from.stride) {
        size_t k = 0;
        for (; k + 8 <= depth; k += 8) Transpose8(row + k, from.stride, to + k * width + i, width);
        for (; k < depth; ++k)
          for (size_t r = 0; r < 8; ++r) to[k * width + i + r] = row[r * from.stride + k];
      }
      for (; i < width; ++i, row += from.stride)
        for (size_t k = 0; k < depth; ++k) to[k * width + i] = i < size ? row[k] : 0.0;
    }
    to += depth * width;
  }
}

// What a sum of products does to C.
struct Update {
  double alpha, beta;
};

// Rows vectors by kNarrow columns.
template <size_t Rows>
[[gnu::always_inline]] inline void RegisterTile(size_t depth, const double* a, const double* b,
                                                const Update& update, double* c, size_t ldc) {
  Vector sums[kNarrow][Rows] = {};
  for (size_t k = 0; k < depth; ++k) {
    Vector r[Rows];
#pragma GCC unroll 3
    for (size_t i = 0; i < Rows; ++i) r[i] = *reinterpret_cast<const Vector*>(a + i * kLength);
#pragma GCC unroll 8
    for (size_t j = 0; j < kNarrow; ++j) {
      const Vector l = b[j] - Vector{};
#pragma GCC unroll 3
      for (size_t i = 0; i < Rows; ++i) sums[j][i] += r[i] * l;
    }
    a += Rows * kLength;
    b += kNarrow;
  }
#pragma GCC unroll 8
  for (size_t j = 0; j < kNarrow; ++j) {
#pragma GCC unroll 3
    for (size_t i = 0; i < Rows; ++i) {
      Unaligned* to = reinterpret_cast<Unaligned*>(c + j * ldc + i * kLength);
      const Vector sum = update.alpha * sums[j][i];
      *to = update.beta == 0.0 ? sum : update.beta * *to + sum;
    }
  }
}

// One panel of A by all of a block of B. Where C ends inside a tile the tile is worked out beside
// it.
template <size_t Rows>
[[gnu::always_inline]] inline void OnePanel(size_t depth, const double* a, size_t rows,
                                            const double* b, size_t columns, const Update& update,
                                            double* c, size_t ldc) {
  constexpr size_t kWidth = Rows * kLength;
  alignas(64) double aside[kNarrow * kWidth];
  for (size_t j = 0; j < columns; j += kNarrow, b += kNarrow * depth, c += kNarrow * ldc) {
    const size_t width = std::min(kNarrow, columns - j);
    if (rows == kWidth && width == kNarrow) {
      RegisterTile<Rows>(depth, a, b, update, c, ldc);
      continue;
    }
    RegisterTile<Rows>(depth, a, b, {update.alpha, 0.0}, aside, kWidth);
    for (size_t s = 0; s < width; ++s) {
      for (size_t i = 0; i < rows; ++i) {
        double* to = c + s * ldc + i;
        *to = (update.beta == 0.0 ? 0.0 : update.beta * *to) + aside[s * kWidth + i];
      }
    }
  }
}

// Always the same blocks, whatever calls it: a result depends on nothing but the operands.
__attribute__((target("avx512f,avx512dq,fma"))) void Own(size_t m, size_t n, size_t k, double alpha,
                                                         const Operand& a, const Operand& b,
                                                         double beta, double* scratch, double* c,
                                                         size_t ldc) {
  double* left = scratch;
  double* right = scratch + kRows * kDepth;
  const size_t parts = (k + kDepth - 1) / kDepth, each = (k + parts - 1) / parts;
  for (size_t k0 = 0; k0 < k; k0 += each) {
    const size_t depth = std::min(each, k - k0);
    const Update update = {alpha, k0 == 0 ? beta : 1.0};
    for (size_t j0 = 0; j0 < n; j0 += kColumns) {
      const size_t columns = std::min(kColumns, n - j0);
      Pack(b, j0, columns, k0, depth, kNarrow, kNarrow, right);
      for (size_t i0 = 0; i0 < m; i0 += kRows) {
        const size_t rows = std::min(kRows, m - i0);
        if (j0 == 0 || m > kRows) Pack(a, i0, rows, k0, depth, kWide, kLength, left);
        for (size_t p = 0; p < rows; p += kWide) {
          const double* panel = left + p * depth;
          double* to = c + j0 * ldc + i0 + p;
          const size_t size = std::min(kWide, rows - p);
          if (size > 2 * kLength) {
            OnePanel<3>(depth, panel, size, right, columns, update, to, ldc);
          } else if (size > kLength) {
            OnePanel<2>(depth, panel, size, right, columns, update, to, ldc);
          } else {
            OnePanel<1>(depth, panel, size, right, columns, update, to, ldc);
          }
        }
      }
    }
  }
}

bool Pays(size_t m, size_t n, size_t k) {
  static const bool able = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  return able && k >= kLeastDepth && m * n * k > kLeastWork;
}

// Room for both operands, packed, for as long as it lives. A few threads take turns at it, many
// more than work at a time (libuv's, those of the pool), so that it is none of theirs: each takes
// the one it had last, or the first that is free.
class Scratch {
 public:
  Scratch() {
    if (Take(last_)) return;
    for (slot_ = 0; slot_ < kSlots && !Take(slot_); ++slot_) {
    }
  }
  ~Scratch() {
    if (slot_ < kSlots) slots_[slot_].taken.store(false, std::memory_order_release);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Null where there is no memory for it.
  double* data() {
    Buffer& buffer = slot_ < kSlots ? slots_[slot_].buffer : own_;
    return buffer.Reserve((kRows + kColumns) * kDepth) ? buffer.data() : nullptr;
  }

 private:
  static constexpr size_t kSlots = 2 * ThreadPool::kMaxThreads;
  struct alignas(64) Slot {
    std::atomic<bool> taken{false};
    Buffer buffer;
  };

  bool Take(size_t slot) {
    if (slots_[slot].taken.load(std::memory_order_relaxed) ||
        slots_[slot].taken.exchange(true, std::memory_order_acquire))
      return false;
    slot_ = last_ = slot;
    return true;
  }

  // Never destroyed: threads of the pool outlive the program's end.
  static Slot* const slots_;
  static thread_local size_t last_;
  size_t slot_ = 0;
  Buffer own_;
};

Scratch::Slot* const Scratch::slots_ = new Slot[kSlots];
thread_local size_t Scratch::last_ = 0;

}  // namespace
#endif

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha, const double* a,
          size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc) {
#ifdef GAUSSFLOW_OWN_GEMM
  if (Pays(m, n, k)) {
    Scratch scratch;
    if (double* room = scratch.data(); room != nullptr)
      return Own(m, n, k, alpha, {a, lda, trans_a == 'N'}, {b, ldb, trans_b == 'T'}, beta, room, c,
                 ldc);
  }
#endif
  blas::Gemm(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
          size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  blas::Gemm(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace gaussflow
