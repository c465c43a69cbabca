#include "thread_pool.h"

#include <algorithm>

#include "blas.h"

namespace gaussflow {

thread_local bool ThreadPool::alone_ = false;

ThreadPool& ThreadPool::Instance() {
  static ThreadPool* pool = new ThreadPool();
  return *pool;
}

bool ThreadPool::Run(int threads, size_t count, const Cancel& cancel,
                     const std::function<void(size_t, int)>& body) {
  blas::HoldToOneThread();
  if (count == 0) return true;
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
    if (job.workers == 2) {
      wake_.notify_one();
    } else {
      wake_.notify_all();
    }
  }
  Work(&job, 0);
  if (job.workers > 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto position = std::find(jobs_.begin(), jobs_.end(), &job);
    if (position != jobs_.end()) jobs_.erase(position);
    idle_.wait(lock, [&job] { return job.active == 0; });
  }
  return !job.skipped.load(std::memory_order_relaxed);
}

void ThreadPool::Work(Job* job, int worker) {
  for (;;) {
    const size_t task = job->next.fetch_add(1, std::memory_order_relaxed);
    if (task >= job->count) return;
    if (job->cancel->Raised()) {
      job->skipped.store(true, std::memory_order_relaxed);
      return;
    }
    (*job->body)(task, worker);
  }
}

void ThreadPool::Grow(int helpers) {
  // A system that gives no more threads is no error: the job runs on those it has.
  while (static_cast<int>(helpers_.size()) < helpers) {
    try {
      helpers_.emplace_back([this] { HelperLoop(); });
    } catch (const std::exception&) {
      return;
    }
  }
}

void ThreadPool::HelperLoop() {
  blas::HoldToOneThread();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !jobs_.empty(); });
    Job* job = jobs_.front();
    const int worker = job->joined++;
    if (job->joined >= job->workers) jobs_.pop_front();
    ++job->active;
    lock.unlock();
    Work(job, worker);
    lock.lock();
    // The job lives on its caller's stack: this is the last touch of it.
    if (--job->active == 0) idle_.notify_all();
  }
}

}  // namespace gaussflow
