// Implements the queue of commands and its thread (command_thread.h).
#include "command_thread.h"

#include <chrono>
#include <utility>

namespace gaussflow::mpi {

CommandThread::CommandThread() : thread_([this] { Loop(); }) {}

CommandThread::~CommandThread() { Close(nullptr); }

void CommandThread::Post(Work work, Ended ended) {
  pending_.fetch_add(1);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!closing()) {
      queue_.push_back({std::move(work), std::move(ended)});
      posted_.notify_one();
      return;
    }
  }
  End({nullptr, std::move(ended)}, false);
}

bool CommandThread::Run(const Work& work) {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  bool done = false;
  Post(work, [&](bool was_done) {
    // Notified inside the lock: the waiting caller takes all of this down as soon as it may.
    const std::lock_guard<std::mutex> lock(mutex);
    over = true;
    done = was_done;
    changed.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return over; });
  return done;
}

void CommandThread::Close(std::function<void()> last) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!closing()) {
      last_ = std::move(last);
      closing_.store(true);
      posted_.notify_one();
    }
  }
  const std::lock_guard<std::mutex> lock(joining_);
  if (thread_.joinable()) thread_.join();
}

void CommandThread::Loop() {
  std::list<Command> at_work;
  for (int idle_rounds = 0; Take(&at_work, idle_rounds); ++idle_rounds) {
    for (auto command = at_work.begin(); command != at_work.end() && !closing();) {
      const bool done = command->work();
      // A command that gave up because the thread is closing has not done its work.
      if (!done || closing()) {
        ++command;
        continue;
      }
      End(*command, true);
      command = at_work.erase(command);
      idle_rounds = -1;
    }
  }
  for (const Command& command : at_work) End(command, false);
  // `closing` is set: nobody appends to the queue or replaces `last_` any more.
  for (const Command& command : queue_) End(command, false);
  if (last_) last_();
}

bool CommandThread::Take(std::list<Command>* at_work, int idle_rounds) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto ready = [this] { return !queue_.empty() || closing(); };
  if (at_work->empty()) {
    posted_.wait(lock, ready);
  } else if (!ready()) {
    // Letters may come after hours, and seldom need an answer within a millisecond.
    constexpr int kYields = 100;
    const int pause = idle_rounds < kYields ? 0 : 1000;
    if (pause > 0) {
      posted_.wait_for(lock, std::chrono::microseconds(pause), ready);
    } else {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
  }
  if (closing()) return false;
  for (Command& command : queue_) at_work->push_back(std::move(command));
  queue_.clear();
  return true;
}

void CommandThread::End(const Command& command, bool done) {
  pending_.fetch_sub(1);
  command.ended(done);
}

}  // namespace gaussflow::mpi
