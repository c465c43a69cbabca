// The thread of the MPI addon's commands: their order, commands that end later, callers on many
// threads at once, and a close in the middle. Run it under ThreadSanitizer too (npm run sanitize).
#include "../mpi/command_thread.h"

#include <atomic>
#include <thread>

#include "check.h"

using gaussflow::mpi::CommandThread;
using gaussflow::mpi::PollMicroseconds;
using namespace gaussflow::test;

namespace {

void TestOrder() {
  CommandThread thread;
  std::vector<int> order;  // written on the thread alone
  std::thread::id first, second;
  for (int k = 0; k < 100; ++k)
    thread.Post(
        [&order, k] {
          order.push_back(k);
          return true;
        },
        [](bool done) { CHECK(done, "a command ended undone"); });
  CHECK(thread.Run([&] {
    first = std::this_thread::get_id();
    return true;
  }),
        "closed");
  thread.Run([&] {
    second = std::this_thread::get_id();
    return true;
  });
  CHECK(first == second && first != std::this_thread::get_id(), "one thread runs all");
  CHECK(order.size() == 100, "%zu commands ran", order.size());
  for (size_t k = 0; k < order.size(); ++k)
    CHECK(order[k] == static_cast<int>(k), "place %zu has command %d", k, order[k]);
  CHECK(thread.pending() == 0, "%zu pending", thread.pending());
}

// A letter that is waited for must not hold up the exchanges behind it.
void TestLater() {
  CommandThread thread;
  std::atomic<int> calls{0};
  std::atomic<bool> arrived{false}, ended{false};
  thread.Post(
      [&] {
        calls.fetch_add(1);
        return arrived.load();
      },
      [&](bool done) { ended.store(done); });
  CHECK(thread.Run([] { return true; }), "a command behind one that waits runs");
  CHECK(!ended.load() && thread.pending() == 1, "%zu pending", thread.pending());
  arrived.store(true);
  while (!ended.load()) std::this_thread::yield();
  CHECK(calls.load() >= 2, "%d calls", calls.load());
}

void TestCallers() {
  CommandThread thread;
  int sum = 0;  // no lock: the thread of the commands alone touches it
  std::atomic<int> posted_ends{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int k = 0; k < 500; ++k) {
        thread.Post(
            [&sum] {
              ++sum;
              return true;
            },
            [&](bool) { posted_ends.fetch_add(1); });
        int seen = -1;
        thread.Run([&] {
          seen = ++sum;
          return true;
        });
        CHECK(seen > 0, "the caller sees what its command has written: %d", seen);
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(sum == 4000 && posted_ends.load() == 2000, "%d commands, %d ends", sum, posted_ends.load());
}

// A close ends the command that waits, those behind it and those that come later, once each.
void TestClose() {
  for (int round = 0; round < 50; ++round) {
    CommandThread thread;
    std::atomic<int> done{0}, undone{0};
    const auto ended = [&](bool was_done) { (was_done ? done : undone).fetch_add(1); };
    std::atomic<bool> waiting{false};
    std::thread caller([&] {
      const bool ran = thread.Run([&] {
        waiting.store(true);
        while (!thread.closing()) std::this_thread::yield();
        return true;
      });
      CHECK(!ran, "a command that gave up counts as done");
    });
    while (!waiting.load()) std::this_thread::yield();
    thread.Post([] { return false; }, ended);
    thread.Post([] { return true; }, ended);
    std::atomic<int> lasts{0};
    std::thread other([&] { thread.Close([&] { lasts.fetch_add(1); }); });
    thread.Close([&] { lasts.fetch_add(1); });
    CHECK(lasts.load() == 1, "%d last commands ran", lasts.load());
    thread.Post([] { return true; }, ended);
    CHECK(!thread.Run([] { return true; }), "a closed thread runs nothing");
    caller.join();
    other.join();
    CHECK(done.load() == 0 && undone.load() == 3, "%d done, %d undone", done.load(), undone.load());
    CHECK(thread.pending() == 0, "%zu pending", thread.pending());
  }
}

}  // namespace

int main() {
  TestOrder();
  TestLater();
  TestCallers();
  TestClose();
  CHECK(PollMicroseconds(0) == 0 && PollMicroseconds(1 << 20) == 1000, "a long wait sleeps");
  return Finish();
}
