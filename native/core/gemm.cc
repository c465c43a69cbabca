// Implements the matrix product of the core (gemm.h): packs the operands, computes register tiles
// (register_tile.h), and chooses between this code and OpenBLAS.
#include "gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "blas.h"
#include "buffer.h"
#include "guarded.h"
#include "register_tile.h"
#include "simd.h"
#include "thread_pool.h"

namespace gaussflow {

#if defined(__x86_64__) && defined(__GNUC__)
#define GAUSSFLOW_OWN_GEMM

namespace {

// GCC has had the second form since version 12 only.
#if defined(__clang__)
#define GAUSSFLOW_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define GAUSSFLOW_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, Indices{__VA_ARGS__})
#endif

using Vector = Register<double, 64>::Type;
typedef double Unaligned __attribute__((vector_size(64), may_alias, aligned(8)));
typedef long long Indices __attribute__((vector_size(64)));

// The loops and their sizes are those of Goto and van de Geijn (ACM Trans. Math. Softw. 34, 2008).
// The register tile, MR x NR: 24 of the 32 registers hold its sums.
constexpr size_t kLanes = 8;          // of a vector
constexpr size_t kWide = 3 * kLanes;  // MR, rows of a panel of A
constexpr size_t kNarrow = 8;         // NR, columns of a panel of B
// The packed blocks, a megabyte together: about the second level of cache. A tile of 256 samples is
// one block of A.
constexpr size_t kRows = 11 * kWide;  // MC
constexpr size_t kColumns = 256;      // NC
constexpr size_t kDepth = 256;        // KC, products summed before C is touched
constexpr size_t kPackedDoubles = (kRows + kColumns) * kDepth;
static_assert(kColumns % kNarrow == 0, "panels of B fill their block");

// What does not pay for packing both operands, because OpenBLAS has kernels that pack nothing or is
// as fast: few multiplications, sums of few products, and results whose last panels are mostly
// filled up.
constexpr double kLeastWork = 1e6;
constexpr size_t kLeastDepth = 24;
constexpr double kLeastUse = 0.9;

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
    s[i] = GAUSSFLOW_SHUFFLE(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    s[i + 1] = GAUSSFLOW_SHUFFLE(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < 4; ++q) {
    const size_t i = q / 2 * 4 + q % 2;
    r[i] = GAUSSFLOW_SHUFFLE(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    r[i + 2] = GAUSSFLOW_SHUFFLE(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    s[i] = GAUSSFLOW_SHUFFLE(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    s[i + 4] = GAUSSFLOW_SHUFFLE(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
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
      const double* start = from.data + k0 * from.stride + first + p;
      for (size_t k = 0; k < depth; ++k) {
        const double* row = start + k * from.stride;
        if (size == wide) {
          std::memcpy(to + k * width, row, wide * sizeof(double));
        } else {
          std::copy_n(row, size, to + k * width);
          std::fill_n(to + k * width + size, width - size, 0.0);
        }
      }
    } else {
      const double* start = from.data + (first + p) * from.stride + k0;
      const size_t eights = size / 8 * 8;
      for (size_t i = 0; i < eights; i += 8) {
        const double* row = start + i * from.stride;
        size_t k = 0;
        for (; k + 8 <= depth; k += 8) Transpose8(row + k, from.stride, to + k * width + i, width);
        for (; k < depth; ++k)
          for (size_t r = 0; r < 8; ++r) to[k * width + i + r] = row[r * from.stride + k];
      }
      for (size_t i = eights; i < size; ++i)
        for (size_t k = 0; k < depth; ++k) to[k * width + i] = start[i * from.stride + k];
      for (size_t k = 0; k < depth; ++k) std::fill_n(to + k * width + size, width - size, 0.0);
    }
    to += depth * width;
  }
}

// What a sum of products does to C.
struct Update {
  double alpha, beta;
};

// The micro-kernel: `Vectors` vectors of rows by kNarrow columns.
template <size_t Vectors>
[[gnu::always_inline]] inline void RegisterTile(size_t depth, const double* a, const double* b,
                                                const Update& update, double* c, size_t ldc) {
  Vector sums[Vectors][kNarrow] = {};
  SumInRegisters<double, 64>(depth, a, Vectors * kLanes, b, kNarrow, sums);
#pragma GCC unroll 8
  for (size_t j = 0; j < kNarrow; ++j) {
#pragma GCC unroll 3
    for (size_t i = 0; i < Vectors; ++i) {
      Unaligned* to = reinterpret_cast<Unaligned*>(c + j * ldc + i * kLanes);
      const Vector sum = update.alpha * sums[i][j];
      *to = update.beta == 0.0 ? sum : update.beta * *to + sum;
    }
  }
}

// One panel of A by all of a block of B. Where C ends inside a tile the tile is worked out beside
// it.
template <size_t Vectors>
[[gnu::always_inline]] inline void OnePanel(size_t depth, const double* a, size_t rows,
                                            const double* b, size_t columns, const Update& update,
                                            double* c, size_t ldc) {
  constexpr size_t kHeight = Vectors * kLanes;
  alignas(64) double aside[kNarrow * kHeight];
  for (size_t j = 0; j < columns; j += kNarrow, b += kNarrow * depth) {
    const size_t width = std::min(kNarrow, columns - j);
    if (rows == kHeight && width == kNarrow) {
      RegisterTile<Vectors>(depth, a, b, update, c + j * ldc, ldc);
      continue;
    }
    RegisterTile<Vectors>(depth, a, b, {update.alpha, 0.0}, aside, kHeight);
    for (size_t s = 0; s < width; ++s) {
      for (size_t i = 0; i < rows; ++i) {
        double* to = c + (j + s) * ldc + i;
        const double sum = aside[s * kHeight + i];
        *to = update.beta == 0.0 ? sum : update.beta * *to + sum;
      }
    }
  }
}

// Always the same blocks and the same order of sums, whatever thread calls it.
__attribute__((target("avx512f,avx512dq,fma"))) void PackedGemm(size_t m, size_t n, size_t k,
                                                                double alpha, const Operand& a,
                                                                const Operand& b, double beta,
                                                                double* room, double* c,
                                                                size_t ldc) {
  double* packed_a = room;
  double* packed_b = room + kRows * kDepth;
  const size_t parts = (k + kDepth - 1) / kDepth, each = (k + parts - 1) / parts;
  for (size_t k0 = 0; k0 < k; k0 += each) {
    const size_t depth = std::min(each, k - k0);
    const Update update = {alpha, k0 == 0 ? beta : 1.0};
    for (size_t j0 = 0; j0 < n; j0 += kColumns) {
      const size_t columns = std::min(kColumns, n - j0);
      Pack(b, j0, columns, k0, depth, kNarrow, kNarrow, packed_b);
      for (size_t i0 = 0; i0 < m; i0 += kRows) {
        const size_t rows = std::min(kRows, m - i0);
        if (j0 == 0 || m > kRows) Pack(a, i0, rows, k0, depth, kWide, kLanes, packed_a);
        for (size_t p = 0; p < rows; p += kWide) {
          const double* panel = packed_a + p * depth;
          double* to = c + j0 * ldc + i0 + p;
          const size_t size = std::min(kWide, rows - p);
          if (size > 2 * kLanes) {
            OnePanel<3>(depth, panel, size, packed_b, columns, update, to, ldc);
          } else if (size > kLanes) {
            OnePanel<2>(depth, panel, size, packed_b, columns, update, to, ldc);
          } else {
            OnePanel<1>(depth, panel, size, packed_b, columns, update, to, ldc);
          }
        }
      }
    }
  }
}

// Room for the packed blocks, for as long as this lives. It is lent, not one a thread: many more
// threads call than run at a time (libuv's and those of the pool). A caller takes the room that it
// had last, or else the first that is free.
class Room {
 public:
  Room() {
    Slot* slots = Slots();
    if (Take(slots, last_)) return;
    for (size_t i = 0; i < kSlots; ++i)
      if (Take(slots, i)) return;
  }
  ~Room() {
    if (slot_ != nullptr) slot_->taken.store(false, std::memory_order_release);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  double* data() {
    Buffer& buffer = slot_ == nullptr ? own_ : slot_->buffer;
    if (!buffer.Reserve(kPackedDoubles)) throw OutOfMemory(kPackedDoubles * sizeof(double));
    return buffer.data();
  }

 private:
  static constexpr size_t kSlots = 2 * ThreadPool::kMaxThreads;
  struct alignas(64) Slot {
    std::atomic<bool> taken{false};
    Buffer buffer;
  };

  // Never destroyed: threads of the pool outlive the program's end.
  static Slot* Slots() {
    static Slot* const slots = new Slot[kSlots];
    return slots;
  }
  bool Take(Slot* slots, size_t i) {
    if (slots[i].taken.load(std::memory_order_relaxed) ||
        slots[i].taken.exchange(true, std::memory_order_acquire))
      return false;
    slot_ = slots + i;
    last_ = i;
    return true;
  }

  static thread_local size_t last_;
  Slot* slot_ = nullptr;
  Buffer own_;
};

thread_local size_t Room::last_ = 0;

double RoundUp(size_t count, size_t unit) {
  return static_cast<double>((count + unit - 1) / unit * unit);
}

}  // namespace
#endif

bool GemmIsOurs(size_t m, size_t n, size_t k) {
#ifdef GAUSSFLOW_OWN_GEMM
  static const bool able = kAvx512 && __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  const double entries = static_cast<double>(m) * static_cast<double>(n);
  return able && k >= kLeastDepth && entries * static_cast<double>(k) > kLeastWork &&
         entries >= kLeastUse * RoundUp(m, kLanes) * RoundUp(n, kNarrow);
#else
  static_cast<void>(m), static_cast<void>(n), static_cast<void>(k);
  return false;
#endif
}

namespace {

// `ours`: GemmIsOurs of the whole product that this is a part of.
void GemmPart(bool ours, char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha,
              const double* a, size_t lda, const double* b, size_t ldb, double beta, double* c,
              size_t ldc) {
#ifdef GAUSSFLOW_OWN_GEMM
  if (ours) {
    // No way round a room that cannot be had: the BLAS sums in another order, and results must not
    // depend on how much memory is free.
    Room room;
    return PackedGemm(m, n, k, alpha, {a, lda, trans_a == 'N'}, {b, ldb, trans_b == 'T'}, beta,
                      room.data(), c, ldc);
  }
#else
  static_cast<void>(ours);
#endif
  blas::Gemm(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha, const double* a,
          size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc) {
  GemmPart(GemmIsOurs(m, n, k), trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void GemmByColumns(char trans_a, char trans_b, size_t m, size_t n, size_t k, double alpha,
                   const double* a, size_t lda, const double* b, size_t ldb, double beta, double* c,
                   size_t ldc, int threads) {
  // Every part packs the whole of A: parts of fewer columns would pack more than they multiply.
  constexpr size_t kLeastColumns = 64, kMostParts = 32;
  // Columns of a register tile stay together.
  constexpr size_t kTogether = 8;
  const size_t parts = std::clamp<size_t>(n / kLeastColumns, 1, kMostParts);
  const size_t width = Parts(Parts(n, parts), kTogether) * kTogether;
  const bool ours = GemmIsOurs(m, n, k);
  ThreadPool::Instance().Run(threads, Parts(n, width), Cancel{}, [&](size_t part, int /*worker*/) {
    const size_t j = part * width;
    GemmPart(ours, trans_a, trans_b, m, std::min(width, n - j), k, alpha, a, lda,
             b + (trans_b == 'N' ? j * ldb : j), ldb, beta, c + j * ldc, ldc);
  });
}

void Gemm(char trans_a, char trans_b, size_t m, size_t n, size_t k, float alpha, const float* a,
          size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  blas::Gemm(trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

size_t PackedBytes() { return kPackedDoubles * sizeof(double); }

}  // namespace gaussflow
