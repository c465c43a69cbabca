// A queue of commands and the one thread that runs them: MPI allows one thread at a time, and the
// addon makes all of its calls on this one. Knows nothing of MPI or Node, so that
// native/test/command_thread_test.cc can test it alone, under ThreadSanitizer.
#ifndef GAUSSFLOW_MPI_COMMAND_THREAD_H_
#define GAUSSFLOW_MPI_COMMAND_THREAD_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace gaussflow::mpi {

class CommandThread {
 public:
  // True once the command has ended. One that returns false is called again, after the other
  // commands. Must not throw.
  using Work = std::function<bool()>;
  // Called once for every command: with true after its work has ended, with false in place of the
  // rest of its work where the thread has been closed.
  using Ended = std::function<void(bool done)>;

  CommandThread();
  // Closes, where nobody has.
  ~CommandThread();
  CommandThread(const CommandThread&) = delete;
  CommandThread& operator=(const CommandThread&) = delete;

  // Appends a command, from any thread. `ended` runs on the thread of the commands, or on the
  // caller's where that is closed.
  void Post(Work work, Ended ended);
  // Waits for a command, on any other thread. False where the thread has been closed.
  bool Run(const Work& work);

  // Commands that have not ended.
  size_t pending() const { return pending_.load(); }
  // A command that waits for something polls this, and gives up where it is true.
  bool closing() const { return closing_.load(); }
  // Ends all commands with done = false, runs `last` on the thread and ends the thread. Only the
  // first call does so; every call returns once the thread has ended.
  void Close(std::function<void()> last);

 private:
  struct Command {
    Work work;
    Ended ended;
  };
  void Loop();
  // Moves what was posted behind the commands at work; waits for it as long as the commands allow.
  // False once the thread is closing.
  bool Take(std::list<Command>* at_work, int idle_rounds);
  void End(const Command& command, bool done);

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Command> queue_;
  std::function<void()> last_;
  std::atomic<size_t> pending_{0};
  std::atomic<bool> closing_{false};
  std::mutex joining_;
  std::thread thread_;
};

// Microseconds to sleep in round `round`, from 0, of polling for what has not come: none at first,
// which gives the processor to another thread and loses a few microseconds at most, and then longer
// and longer, because a rank that waits for long must not heat a core that others compute on.
constexpr int PollMicroseconds(int round) {
  constexpr int kYields = 2000;
  return round < kYields ? 0 : round < 2 * kYields ? 50 : 1000;
}

}  // namespace gaussflow::mpi

#endif  // GAUSSFLOW_MPI_COMMAND_THREAD_H_
