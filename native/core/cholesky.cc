#include "cholesky.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "blas.h"

namespace gaussflow {

namespace {
constexpr size_t kTile = 192;
}  // namespace

// Left-looking by tiles, column after column. A task waits for the tiles it reads, and all of those
// come earlier in the list, so whoever holds them is running: no deadlock, for any number of
// threads.
template <typename T>
Status Cholesky(size_t n, T* a, size_t lda, int threads, const Cancel& cancel) {
  const size_t tiles = (n + kTile - 1) / kTile;
  if (tiles <= 1) {
    const int info = blas::Potrf(n, a, lda);
    return info > 0 ? Status::Indefinite(static_cast<size_t>(info) - 1) : Status::Ok();
  }
  std::vector<std::pair<size_t, size_t>> list;
  for (size_t j = 0; j < tiles; ++j)
    for (size_t i = j; i < tiles; ++i) list.emplace_back(i, j);
  // finished[i]: tiles (i, 0) ... (i, finished - 1) hold their part of the factor.
  const auto finished = std::make_unique<std::atomic<size_t>[]>(tiles);
  for (size_t i = 0; i < tiles; ++i) finished[i].store(0);
  std::atomic<bool> stop{false};
  std::atomic<size_t> bad_pivot{n};

  const auto wait_for = [&](size_t row, size_t column) {
    while (finished[row].load(std::memory_order_acquire) <= column) {
      if (stop.load(std::memory_order_relaxed) || cancel.Raised()) return false;
      std::this_thread::yield();
    }
    return true;
  };
  const auto tile = [&](size_t i, size_t j) { return a + j * kTile * lda + i * kTile; };
  const auto extent = [&](size_t i) { return std::min(kTile, n - i * kTile); };

  const bool done = ThreadPool::Instance().Run(threads, list.size(), cancel, [&](size_t task, int) {
    const auto [i, j] = list[task];
    for (size_t k = 0; k < j; ++k) {
      if (!wait_for(i, k) || !wait_for(j, k)) return;
      if (i == j) {
        blas::SyrkLower(extent(j), kTile, T(-1), tile(j, k), lda, T(1), tile(j, j), lda);
      } else {
        blas::Gemm('N', 'T', extent(i), extent(j), kTile, T(-1), tile(i, k), lda, tile(j, k), lda,
                   T(1), tile(i, j), lda);
      }
    }
    if (i == j) {
      const int info = blas::Potrf(extent(j), tile(j, j), lda);
      if (info != 0) {
        bad_pivot.store(j * kTile + static_cast<size_t>(info) - 1);
        stop.store(true);
        return;
      }
    } else {
      if (!wait_for(j, j)) return;
      blas::TrsmRightLowerTranspose(extent(i), extent(j), tile(j, j), lda, tile(i, j), lda);
    }
    finished[i].store(j + 1, std::memory_order_release);
  });
  if (bad_pivot.load() < n) return Status::Indefinite(bad_pivot.load());
  return done && !cancel.Raised() ? Status::Ok() : Status::Cancelled();
}

template Status Cholesky(size_t, double*, size_t, int, const Cancel&);
template Status Cholesky(size_t, float*, size_t, int, const Cancel&);

}  // namespace gaussflow
