// The thread pool: every task once, worker numbers never shared, jobs inside jobs, cancellation,
// and the BLAS self-test.
#include <atomic>
#include <thread>

#include "check.h"
#include "self_test.h"
#include "thread_pool.h"

using namespace gaussflow;
using namespace gaussflow::test;

int main() {
  ThreadPool& pool = ThreadPool::Instance();
  for (const int threads : {1, 2, 5}) {
    for (const size_t count : {0u, 1u, 3u, 1000u}) {
      std::vector<std::atomic<int>> seen(count), inside(8);
      const bool done = pool.Run(threads, count, {}, [&](size_t task, int worker) {
        CHECK(worker >= 0 && worker < threads, "worker %d of %d", worker, threads);
        CHECK(inside[worker].fetch_add(1) == 0, "two tasks share worker %d", worker);
        seen[task].fetch_add(1);
        inside[worker].fetch_sub(1);
      });
      CHECK(done, "not cancelled");
      for (size_t i = 0; i < count; ++i)
        CHECK(seen[i].load() == 1, "task %zu ran %d times", i, seen[i].load());
    }
  }
  std::atomic<int> total{0};
  pool.Run(3, 20, {},
           [&](size_t, int) { pool.Run(3, 20, {}, [&](size_t, int) { total.fetch_add(1); }); });
  CHECK(total.load() == 400, "nested jobs ran %d tasks", total.load());

  std::atomic<int> other{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] { pool.Run(2, 200, {}, [&](size_t, int) { other.fetch_add(1); }); });
  for (std::thread& caller : callers) caller.join();
  CHECK(other.load() == 800, "four callers at once ran %d tasks", other.load());

  {
    const ThreadPool::CallerAlone alone;
    const std::thread::id here = std::this_thread::get_id();
    pool.Run(3, 100, {}, [&](size_t, int worker) {
      CHECK(worker == 0 && std::this_thread::get_id() == here, "worker %d", worker);
    });
  }

  std::atomic<bool> flag{false};
  std::atomic<int> ran{0};
  const Cancel cancel{&flag, nullptr};
  const bool done = pool.Run(2, 1000, cancel, [&](size_t task, int) {
    if (task == 5) flag.store(true);
    ran.fetch_add(1);
  });
  CHECK(!done && ran.load() < 1000, "a raised flag stops the rest; %d ran", ran.load());

  const SelfTest test = TestBlas(300);
  CHECK(test.ok, "%s", test.message.c_str());
  return Finish();
}
