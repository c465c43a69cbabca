// What a running call of an engine object needs, and how a call runs: on the event loop when it is
// small, else on a thread of its own. engine_object.cc and jet_engine_object.cc run their calls by
// it.
#ifndef GAUSSFLOW_BINDING_CALL_STATE_H_
#define GAUSSFLOW_BINDING_CALL_STATE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "../core/blas.h"
#include "../core/buffer.h"
#include "../core/cost.h"
#include "../core/thread_pool.h"
#include "environment.h"
#include "napi_setup.h"
#include "promise_worker.h"
#include "values.h"

namespace gaussflow {

constexpr const char* kDisposed = "the engine was disposed of";

// Lives until the last call ends, whatever becomes of the JavaScript object.
struct CallState {
  virtual ~CallState() = default;
  virtual size_t EngineBytes() const = 0;

  // Of the call that runs. Kept: in a large network the first touches of new memory take longer
  // than the copy.
  Doubles parameters;
  Buffer answer;    // the step or acceleration that the engine computes
  Buffer velocity;  // of the acceleration
  std::atomic<bool> cancel{false};
  std::atomic<bool> busy{false};
  std::atomic<bool> disposed{false};
  std::shared_ptr<std::atomic<bool>> closing;
  double synchronous_flops = 0.0;
  int64_t reported_bytes = 0;  // reported to the garbage collector

  void Enter(const Environment& environment, size_t threads) {
    closing = environment.closing;
    synchronous_flops = threads == 1 ? environment.synchronous_flops : cost::kSynchronousFlops;
  }
  size_t Bytes() const {
    return EngineBytes() + parameters.capacity() * sizeof(double) + answer.bytes() +
           velocity.bytes();
  }
  Cancel Flags() const { return {&cancel, closing.get()}; }

  void ReportBytes(Napi::Env env) {
    const int64_t now = static_cast<int64_t>(Bytes());
    if (now == reported_bytes) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, now - reported_bytes);
    reported_bytes = now;
  }
  // A call in flight keeps the state; its bytes are given back here all the same, once.
  void GiveBytesBack(Napi::Env env) {
    Napi::MemoryManagement::AdjustExternalMemory(env, -reported_bytes);
    reported_bytes = 0;
  }
  // What JavaScript is told; during a call the engine is not looked at.
  double ReadableBytes() const {
    return static_cast<double>(busy.load() ? static_cast<size_t>(reported_bytes) : Bytes());
  }
  // A call in flight ends at its next tile and frees the state.
  void Dispose(Napi::Env env) {
    cancel.store(true);
    disposed.store(true);
    GiveBytesBack(env);
  }
};

// Runs compute() as a call of `object`, whose state it keeps. On the event loop when `flops`
// (core/cost.h) are few and `may_stay`: the answer is the value. Else on another thread: the answer
// is a promise of the value.
template <typename Object>
Napi::Value RunCall(Napi::Env env, Object* object, const std::shared_ptr<CallState>& state,
                    double flops, bool may_stay, PromiseWorker::Compute compute,
                    PromiseWorker::Finish finish) {
  state->cancel.store(false);
  if (may_stay && flops <= state->synchronous_flops) {
    const Status status = Guarded([&] {
      std::optional<ThreadPool::CallerAlone> alone;
      if (flops <= cost::kAloneFlops) alone.emplace();
      const blas::Caller caller;
      return compute();
    });
    state->ReportBytes(env);
    return status.ok() ? finish(env) : FailureValue(env, status);
  }
  // Everything that may be refused comes before the engine is busy.
  auto worker = PromiseWorker::Make(env, std::move(compute), std::move(finish),
                                    [object, state](Napi::Env where) {
                                      state->busy.store(false);
                                      if (!state->disposed.load()) state->ReportBytes(where);
                                      object->Unref();
                                    });
  object->Ref();  // the JavaScript object lives as long as the call
  state->busy.store(true);
  try {
    return PromiseWorker::Start(std::move(worker));
  } catch (...) {
    state->busy.store(false);
    object->Unref();
    throw;
  }
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_CALL_STATE_H_
