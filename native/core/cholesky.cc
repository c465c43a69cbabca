// Implements the blocked Cholesky factorization and the triangular solves on the thread pool
// (cholesky.h), in tiles by gemm.h and blas.h.
#include "cholesky.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "blas.h"
#include "gemm.h"

namespace gaussflow {

namespace {

constexpr size_t kColumns = 192;  // columns of a tile
constexpr size_t kHalf = 96;      // a triangle is halved until it is no wider: small ones are slow

constexpr size_t kRightSides = 64;  // right-hand sides of one task
constexpr size_t kLeastParallel =
    768;  // below it one thread reads the triangle sooner than two begin

struct Tile {
  size_t row, rows;  // blocks of kColumns rows
  size_t column;
};

// Column after column. Tiles below the diagonal are high, because a product packs the rows it
// shares with its neighbors anew; about four a column, so that the threads have something to
// share.
std::vector<Tile> Tiles(size_t blocks) {
  std::vector<Tile> list;
  for (size_t j = 0; j < blocks; ++j) {
    list.push_back({j, 1, j});
    const size_t high = std::clamp<size_t>((blocks - j + 2) / 4, 1, 4);
    for (size_t i = j + 1; i < blocks; i += high)
      list.push_back({i, std::min(high, blocks - i), j});
  }
  return list;
}

// B (rows x columns) = B L^-T.
template <typename T>
void SolveRight(size_t rows, size_t columns, const T* l, T* b, size_t ld) {
  if (columns <= kHalf) return blas::TrsmRightLowerTranspose(rows, columns, l, ld, b, ld);
  const size_t half = columns / 2;
  SolveRight(rows, half, l, b, ld);
  Gemm('N', 'T', rows, columns - half, half, T(-1), b, ld, l + half, ld, T(1), b + half * ld, ld);
  SolveRight(rows, columns - half, l + half * ld + half, b + half * ld, ld);
}

// How far each block of rows has come, for tasks that wait for each other: who waits stands later
// in the list than who is waited for, so that one runs already and there is no deadlock.
class Progress {
 public:
  Progress(size_t count, const Cancel& cancel)
      : done_(std::make_unique<std::atomic<size_t>[]>(count)), cancel_(cancel) {
    for (size_t i = 0; i < count; ++i) done_[i].store(0, std::memory_order_relaxed);
  }
  // Until block `i` has done at least `count` steps; false where that will not happen any more.
  bool Await(size_t i, size_t count) const {
    while (done_[i].load(std::memory_order_acquire) < count) {
      if (stop_.load(std::memory_order_relaxed) || cancel_.Raised()) return false;
      std::this_thread::yield();
    }
    return true;
  }
  void Set(size_t i, size_t count) { done_[i].store(count, std::memory_order_release); }
  void Stop() { stop_.store(true, std::memory_order_relaxed); }

  // Around a task: where it throws, nobody waits for it any longer.
  class Step {
   public:
    explicit Step(Progress* progress) : progress_(progress), before_(std::uncaught_exceptions()) {}
    ~Step() {
      if (std::uncaught_exceptions() > before_) progress_->Stop();
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Progress* const progress_;
    const int before_;
  };

 private:
  std::unique_ptr<std::atomic<size_t>[]> done_;
  std::atomic<bool> stop_{false};
  const Cancel& cancel_;
};

}  // namespace

template <typename T>
Status Cholesky(size_t n, T* a, size_t lda, int threads, const Cancel& cancel,
                const FillTile& fill) {
  const size_t blocks = (n + kColumns - 1) / kColumns;
  const std::vector<Tile> list = Tiles(blocks);
  Progress progress(blocks, cancel);
  std::atomic<size_t> bad_pivot{n};
  const auto at = [&](size_t i, size_t j) { return a + j * kColumns * lda + i * kColumns; };
  const auto end = [&](size_t i) { return std::min(n, i * kColumns); };

  const bool done = ThreadPool::Instance().Run(threads, list.size(), cancel, [&](size_t task, int) {
    const Progress::Step step(&progress);
    const auto [i, high, j] = list[task];
    const size_t rows = end(i + high) - i * kColumns, columns = end(j + 1) - j * kColumns;
    if (fill) fill(i * kColumns, rows, j * kColumns, columns);
    T* tile = at(i, j);
    for (size_t k = 0; k < j; ++k) {
      if (!progress.Await(j, k + 1)) return;
      for (size_t row = i; row < i + high; ++row)
        if (!progress.Await(row, k + 1)) return;
      if (i == j) {
        blas::SyrkLower(columns, kColumns, T(-1), at(j, k), lda, T(1), tile, lda);
      } else {
        Gemm('N', 'T', rows, columns, kColumns, T(-1), at(i, k), lda, at(j, k), lda, T(1), tile,
             lda);
      }
    }
    if (i == j) {
      const int info = blas::Potrf(columns, tile, lda);
      if (info != 0) {
        bad_pivot.store(j * kColumns + static_cast<size_t>(info) - 1);
        progress.Stop();
        return;
      }
    } else {
      if (!progress.Await(j, j + 1)) return;
      SolveRight(rows, columns, at(j, j), tile, lda);
    }
    for (size_t row = i; row < i + high; ++row) progress.Set(row, j + 1);
  });
  if (bad_pivot.load() < n) return Status::Indefinite(bad_pivot.load());
  return done && !cancel.Raised() ? Status::Ok() : Status::Canceled();
}

template <typename T>
Status SolveTriangular(bool transpose, size_t n, const T* l, size_t ldl, size_t count, T* x,
                       size_t ldx, int threads, const Cancel& cancel) {
  if (count == 1 && n < kLeastParallel) {
    blas::TrsvLower(transpose, n, l, ldl, x);
    return Status::Ok();
  }
  const size_t blocks = (n + kColumns - 1) / kColumns;
  const size_t parts = (count + kRightSides - 1) / kRightSides;
  Progress progress(parts, cancel);
  const auto begin = [&](size_t i) { return i * kColumns; };
  const auto size = [&](size_t i) { return std::min(kColumns, n - i * kColumns); };
  const bool done =
      ThreadPool::Instance().Run(threads, blocks * parts, cancel, [&](size_t task, int) {
        // Rows of x from the first to the last; from the last to the first with the transpose.
        const Progress::Step guard(&progress);
        const size_t step = task / parts, part = task % parts;
        const size_t columns = std::min(kRightSides, count - part * kRightSides);
        T* to = x + part * kRightSides * ldx;
        const size_t i = transpose ? blocks - 1 - step : step;
        for (size_t s = 0; s < step; ++s) {
          if (!progress.Await(part, s + 1)) return;
          const size_t k = transpose ? blocks - 1 - s : s;
          const T* block =
              transpose ? l + begin(i) * ldl + begin(k) : l + begin(k) * ldl + begin(i);
          const char op = transpose ? 'T' : 'N';
          if (columns == 1) {
            blas::Gemv(op, transpose ? size(k) : size(i), transpose ? size(i) : size(k), T(-1),
                       block, ldl, to + begin(k), T(1), to + begin(i));
          } else {
            Gemm(op, 'N', size(i), columns, size(k), T(-1), block, ldl, to + begin(k), ldx, T(1),
                 to + begin(i), ldx);
          }
        }
        blas::TrsmLeftLower(transpose, size(i), columns, l + begin(i) * ldl + begin(i), ldl,
                            to + begin(i), ldx);
        progress.Set(part, step + 1);
      });
  return done && !cancel.Raised() ? Status::Ok() : Status::Canceled();
}

template Status Cholesky(size_t, double*, size_t, int, const Cancel&, const FillTile&);
template Status Cholesky(size_t, float*, size_t, int, const Cancel&, const FillTile&);
template Status SolveTriangular(bool, size_t, const double*, size_t, size_t, double*, size_t, int,
                                const Cancel&);
template Status SolveTriangular(bool, size_t, const float*, size_t, size_t, float*, size_t, int,
                                const Cancel&);

}  // namespace gaussflow
