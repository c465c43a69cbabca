// The one asynchronous call: `compute` runs on a libuv thread (and from there on our pool) and
// touches nothing of JavaScript; `finish` turns its results into a value on the JavaScript thread.
// Numerical failures resolve to { failure, value }, never reject.
#ifndef GAUSSFLOW_BINDING_PROMISE_WORKER_H_
#define GAUSSFLOW_BINDING_PROMISE_WORKER_H_

#include <functional>
#include <string>
#include <utility>

#include "../core/blas.h"
#include "../core/status.h"
#include "napi_setup.h"

namespace gaussflow {

// The failure side of an answer, as src/backend/native/binding.ts declares it.
inline Napi::Value FailureValue(Napi::Env env, const Status& status) {
  static constexpr const char* kNames[] = {"ok",        "cancelled", "memory", "indefinite",
                                           "nonFinite", "imprecise", "file",   "misuse"};
  Napi::Object object = Napi::Object::New(env);
  object.Set("failure", kNames[static_cast<int>(status.code)]);
  object.Set("value", static_cast<double>(status.value));
  return object;
}

class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Compute = std::function<Status()>;
  using Finish = std::function<Napi::Value(Napi::Env)>;
  using Settle = std::function<void(Napi::Env)>;

  // `settle` runs on the JavaScript thread whatever the outcome, before the promise settles.
  static Napi::Promise Start(Napi::Env env, Compute compute, Finish finish, Settle settle) {
    auto* worker = new PromiseWorker(env, std::move(compute), std::move(finish), std::move(settle));
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();  // deletes itself after OnOK or OnError
    return promise;
  }

 protected:
  void Execute() override {
    try {
      // LAPACK is called on this thread, too, and an OpenMP build counts its threads a caller.
      blas::HoldToOneThread();
      status_ = compute_();
    } catch (const std::bad_alloc&) {
      status_ = Status::Memory(0);
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    settle_(env);
    try {
      deferred_.Resolve(status_.ok() ? finish_(env) : FailureValue(env, status_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());  // no memory for the answer, for example
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
