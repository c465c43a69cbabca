// The thread pool: every task once, worker numbers never shared, jobs inside jobs, cancellation,
// exceptions, and the BLAS self-test.
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
      CHECK(done, "not canceled");
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

  // The first exception of a task comes out of Run, on any thread, once nobody is inside a task.
  for (const int threads : {1, 2, 5}) {
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> inside{0}, begun{0};
      int caught = -1;
      try {
        pool.Run(threads, 1000, {}, [&](size_t task, int) {
          inside.fetch_add(1);
          begun.fetch_add(1);
          if (task % 7 == 3) {
            inside.fetch_sub(1);
            throw static_cast<int>(task);
          }
          inside.fetch_sub(1);
        });
      } catch (int task) {
        caught = task;
        CHECK(inside.load() == 0, "%d threads: %d tasks still run", threads, inside.load());
      }
      CHECK(caught % 7 == 3 && begun.load() < 1000, "%d threads: caught %d, begun %d", threads,
            caught, begun.load());
    }
  }
  total = 0;
  pool.Run(3, 20, {}, [&](size_t, int) { total.fetch_add(1); });
  CHECK(total.load() == 20, "after exceptions %d tasks ran", total.load());

  const SelfTest test = TestBlas(300);
  CHECK(test.ok, "%s", test.message.c_str());
  return Finish();
}
