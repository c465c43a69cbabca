// Implements the thread pool of the core (thread_pool.h): starts its threads, wakes them for work
// and hands out the tasks.
#include "thread_pool.h"

#include <algorithm>

#include "blas.h"
#include "clock.h"

namespace gaussflow {

namespace {

// A thread that has nothing to do looks out for work for so long before it sleeps. A step is
// hundreds of small jobs one after another, and to wake a thread up takes 5 us, under a virtual
// machine 50.
constexpr double kLingerSeconds = 1.5e-4;

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Until `done` holds, for a moment at most. Yields now and then, so that where there are more
// threads than processors another one has its turn.
template <typename Done>
void Linger(const Done& done) {
  const double start = Now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return;
      Pause();
    }
    std::this_thread::yield();
  } while (Now() - start < kLingerSeconds);
}

}  // namespace

thread_local bool ThreadPool::alone_ = false;

ThreadPool& ThreadPool::Instance() {
  static ThreadPool* pool = new ThreadPool();
  return *pool;
}

bool ThreadPool::Run(int threads, size_t count, const Cancel& cancel,
                     const std::function<void(size_t, int)>& body) {
  if (count == 0) return true;
  const blas::Caller caller;
  Job job;
  job.body = &body;
  job.cancel = &cancel;
  job.count = count;
  const int most = alone_ ? 1 : std::clamp(threads, 1, kMaxThreads);
  job.workers = static_cast<int>(std::min<size_t>(count, static_cast<size_t>(most)));
  if (job.workers > 1) {
    std::lock_guard<std::mutex> lock(mutex_);
    Grow(job.workers - 1);
    jobs_.push_back(&job);
    Count();
    if (job.workers == 2) {
      wake_.notify_one();
    } else {
      wake_.notify_all();
    }
  }
  Work(&job, 0);
  if (job.workers > 1) {
    Linger([&job] { return job.active.load(std::memory_order_acquire) == 0; });
    std::unique_lock<std::mutex> lock(mutex_);
    const auto position = std::find(jobs_.begin(), jobs_.end(), &job);
    if (position != jobs_.end()) jobs_.erase(position);
    Count();
    idle_.wait(lock, [&job] { return job.active == 0; });
  }
  if (job.error != nullptr) std::rethrow_exception(job.error);
  return !job.skipped.load(std::memory_order_relaxed);
}

void ThreadPool::Work(Job* job, int worker) {
  try {
    for (;;) {
      const size_t task = job->next.fetch_add(1, std::memory_order_relaxed);
      if (task >= job->count) return;
      if (job->cancel->Raised()) {
        job->skipped.store(true, std::memory_order_relaxed);
        return;
      }
      (*job->body)(task, worker);
    }
  } catch (...) {
    // The caller reads it after this thread has left the job.
    if (!job->failed.exchange(true)) job->error = std::current_exception();
    job->next.store(job->count, std::memory_order_relaxed);
  }
}

void ThreadPool::Grow(int helpers) {
  // A system that gives no more threads, or no address space for their calls of the BLAS, is no
  // error: the job runs on those it has.
  while (!grown_ && static_cast<int>(helpers_.size()) < helpers) {
    grown_ = !blas::AdmitThread();
    if (grown_) return;
    try {
      helpers_.emplace_back([this] { HelperLoop(); });
    } catch (const std::exception&) {
      blas::DismissThread();
      grown_ = true;
    }
  }
}

void ThreadPool::HelperLoop() {
  blas::StayAdmitted();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (jobs_.empty()) {
      lock.unlock();
      Linger([this] { return waiting_.load(std::memory_order_acquire) > 0; });
      lock.lock();
    }
    wake_.wait(lock, [this] { return !jobs_.empty(); });
    Job* job = jobs_.front();
    const int worker = job->joined++;
    if (job->joined >= job->workers) jobs_.pop_front();
    Count();
    ++job->active;
    lock.unlock();
    Work(job, worker);
    lock.lock();
    // The job lives on its caller's stack: this is the last touch of it.
    if (--job->active == 0) idle_.notify_all();
  }
}

}  // namespace gaussflow
