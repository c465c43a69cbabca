// Runs tasks on the threads of one grow-only pool a process, shared by all engines. Passes,
// products, Cholesky, vectors and the builders in curvature/ run their tasks on it. The calling
// thread takes work too, so a call never waits for a free worker. Tasks are handed out in index
// order. The result of a task must not depend on the thread that runs it, so that results are the
// same for every number of threads.
#ifndef GAUSSFLOW_CORE_THREAD_POOL_H_
#define GAUSSFLOW_CORE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gaussflow {

// The flags that stop a call: its own, and that of the environment it runs in.
struct Cancel {
  const std::atomic<bool>* own = nullptr;
  const std::atomic<bool>* environment = nullptr;

  bool Raised() const {
    return (own != nullptr && own->load(std::memory_order_relaxed)) ||
           (environment != nullptr && environment->load(std::memory_order_relaxed));
  }
};

// Tasks of up to `size` things each that `count` of them make.
constexpr size_t Parts(size_t count, size_t size) { return (count + size - 1) / size; }

class ThreadPool {
 public:
  static constexpr int kMaxThreads = 64;

  // While one lives, Run keeps every task of this thread on it: a wake-up costs more than a small
  // problem's whole work.
  class CallerAlone {
   public:
    CallerAlone() : before_(alone_) { alone_ = true; }
    ~CallerAlone() { alone_ = before_; }
    CallerAlone(const CallerAlone&) = delete;
    CallerAlone& operator=(const CallerAlone&) = delete;

   private:
    const bool before_;
  };

  // The process's pool. It is never destroyed: its threads must outlive every environment.
  static ThreadPool& Instance();

  // Runs body(task, worker) for every task in [0, count) on at most `threads` threads, the caller's
  // included; worker is below `threads` and never used by two running tasks at once. Tasks not yet
  // begun are skipped once `cancel` is raised. Returns false if any was skipped. Where a task
  // throws, tasks not yet begun are skipped, and the first exception is thrown again here once no
  // thread is inside a task any more.
  bool Run(int threads, size_t count, const Cancel& cancel,
           const std::function<void(size_t task, int worker)>& body);

 private:
  struct Job {
    const std::function<void(size_t, int)>* body;
    const Cancel* cancel;
    size_t count;
    int workers;                  // most workers it may have
    std::atomic<size_t> next{0};  // next task to hand out
    std::atomic<bool> skipped{false};
    std::atomic<bool> failed{false};
    std::exception_ptr error;    // of the task that set `failed`
    int joined = 1;              // workers that have entered, the caller is the first; under mutex_
    std::atomic<int> active{0};  // helpers inside now; changed under mutex_
  };

  static thread_local bool alone_;

  ThreadPool() = default;
  void Grow(int helpers);
  void HelperLoop();
  // After every change of jobs_.
  void Count() { waiting_.store(jobs_.size(), std::memory_order_release); }
  static void Work(Job* job, int worker);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Job*> jobs_;
  std::atomic<size_t> waiting_{0};  // jobs_.size(), changed under mutex_
  std::vector<std::thread> helpers_;
  bool grown_ = false;  // the system gives no more threads
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_THREAD_POOL_H_
