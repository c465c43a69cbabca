// Runs an asynchronous call of the addon and settles its promise; EngineObject::Run
// (engine_object.cc) starts one for each call that is not run synchronously. `compute` runs on a
// libuv thread (and from there on the core's thread pool) and uses no JavaScript; `finish` turns
// its results into a value on the JavaScript thread. A numerical failure resolves to { failure,
// value } and never rejects.
#ifndef GAUSSFLOW_BINDING_PROMISE_WORKER_H_
#define GAUSSFLOW_BINDING_PROMISE_WORKER_H_

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "../core/blas.h"
#include "../core/guarded.h"
#include "../core/status.h"
#include "napi_setup.h"

namespace gaussflow {

// The failure side of an answer, as src/backend/native/binding.ts declares it.
inline Napi::Value FailureValue(Napi::Env env, const Status& status) {
  static constexpr const char* kNames[] = {"ok",        "canceled",   "memory", "indefinite",
                                           "nonFinite", "imprecise",  "file",   "misuse",
                                           "internal",  "unreachable"};
  Napi::Object object = Napi::Object::New(env);
  object.Set("failure", kNames[static_cast<int>(status.code)]);
  object.Set("value", static_cast<double>(status.value));
  if (status.elsewhere >= 0) object.Set("rank", status.elsewhere);
  return object;
}

// make(), a function that returns a value, or memory that it could not have as a failure.
template <typename Make>
Napi::Value OrMemory(Napi::Env env, const Make& make) {
  try {
    return make();
  } catch (const OutOfMemory& error) {
    return FailureValue(env, Status::Memory(error.bytes()));
  } catch (const std::bad_alloc&) {
    return FailureValue(env, Status::Memory(0));
  }
}

class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Compute = std::function<Status()>;
  using Finish = std::function<Napi::Value(Napi::Env)>;
  using Settle = std::function<void(Napi::Env)>;

  // `settle` runs on the JavaScript thread whatever the outcome, before the promise settles. May
  // throw, and has no effect then.
  static std::unique_ptr<PromiseWorker> Make(Napi::Env env, Compute compute, Finish finish,
                                             Settle settle) {
    return std::unique_ptr<PromiseWorker>(
        new PromiseWorker(env, std::move(compute), std::move(finish), std::move(settle)));
  }

  static Napi::Promise Start(std::unique_ptr<PromiseWorker> worker) {
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    worker.release();  // deletes itself after OnOK or OnError
    return promise;
  }

 protected:
  void Execute() override {
    status_ = Guarded([this] {
      const blas::Caller caller;  // LAPACK is called on this thread, too
      return compute_();
    });
  }

  void OnOK() override {
    const Napi::Env env = Env();
    settle_(env);
    try {
      deferred_.Resolve(status_.ok() ? OrMemory(env, [&] { return finish_(env); })
                                     : FailureValue(env, status_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

  void OnError(const Napi::Error& error) override {
    settle_(Env());
    deferred_.Reject(error.Value());
  }

 private:
  PromiseWorker(Napi::Env env, Compute compute, Finish finish, Settle settle)
      : Napi::AsyncWorker(env, "gaussflow"),
        deferred_(Napi::Promise::Deferred::New(env)),
        compute_(std::move(compute)),
        finish_(std::move(finish)),
        settle_(std::move(settle)) {}

  Napi::Promise::Deferred deferred_;
  Compute compute_;
  Finish finish_;
  Settle settle_;
  Status status_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_PROMISE_WORKER_H_
