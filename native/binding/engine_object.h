// The JavaScript class NativeEngine: owns one core engine (native/core/engine.h) and runs one call
// at a time on it. addon.cc exports the class; src/backend/native/engine.ts creates and calls it.
#ifndef GAUSSFLOW_BINDING_ENGINE_OBJECT_H_
#define GAUSSFLOW_BINDING_ENGINE_OBJECT_H_

#include <memory>

#include "../core/engine.h"
#include "arguments.h"
#include "call_state.h"
#include "napi_setup.h"
#include "promise_worker.h"

namespace gaussflow {

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function Define(Napi::Env env);

  // (network, sampleCount, file | null, weighted, threads, ranks | null): the samples of a file are
  // read when wanted; all others, and the weights, come by `fill`, copied. Under ranks they are
  // those of its slots.
  explicit EngineObject(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

  // The most that `bytes` will be on the way through these curvatures, one after the other, each
  // solved and, where it does that, accelerated with.
  static Footprint EstimateBytes(const Sizes& sizes, const std::vector<Formed>& turns);

 private:
  struct State : CallState {
    State(Architecture architecture, int threads, const SlotShare& share, const Ranks& ranks)
        : engine(std::move(architecture), threads, share, ranks) {}
    size_t EngineBytes() const override { return engine.bytes(); }
    Engine engine;
    bool weighted = false;
    size_t filled = 0;  // samples that the engine has been given
  };

  Napi::Value TouchPages(const Napi::CallbackInfo& info);
  Napi::Value Fill(const Napi::CallbackInfo& info);
  Napi::Value Load(const Napi::CallbackInfo& info);
  Napi::Value Forward(const Napi::CallbackInfo& info);
  Napi::Value Evaluate(const Napi::CallbackInfo& info);
  Napi::Value Linearize(const Napi::CallbackInfo& info);
  Napi::Value Solve(const Napi::CallbackInfo& info);
  Napi::Value Accelerate(const Napi::CallbackInfo& info);
  Napi::Value JacobianProduct(const Napi::CallbackInfo& info);
  Napi::Value TransposeProduct(const Napi::CallbackInfo& info);
  Napi::Value Jacobian(const Napi::CallbackInfo& info);
  Napi::Value Curvature(const Napi::CallbackInfo& info);
  Napi::Value RestoreCurvature(const Napi::CallbackInfo& info);
  Napi::Value Eigen(const Napi::CallbackInfo& info);
  Napi::Value EigenvaluesBelow(const Napi::CallbackInfo& info);
  Napi::Value CurvatureProduct(const Napi::CallbackInfo& info);
  Napi::Value HessianProduct(const Napi::CallbackInfo& info);
  Napi::Value DampedInverse(const Napi::CallbackInfo& info);
  Napi::Value LayerFactors(const Napi::CallbackInfo& info);
  Napi::Value CurvatureInverse(const Napi::CallbackInfo& info);
  Napi::Value Parameters(const Napi::CallbackInfo& info);
  Napi::Value Inputs(const Napi::CallbackInfo& info);
  Napi::Value Cancel_(const Napi::CallbackInfo& info);
  Napi::Value Bytes(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  // The method's value, or memory that it could not have as a failure.
  template <Napi::Value (EngineObject::*method)(const Napi::CallbackInfo&)>
  Napi::Value Call(const Napi::CallbackInfo& info) {
    return OrMemory(info.Env(), [&] { return (this->*method)(info); });
  }
  // What the constructor does: makes the state.
  Status Construct(const Napi::CallbackInfo& info);
  // Copies argument 0 into the state, which must be ready.
  void TakeParameters(const Napi::CallbackInfo& info);
  // The state, free for a new call; throws GAUSSFLOW_BUSY where it is at work,
  // GAUSSFLOW_STATE where it was disposed of or has not been given all its samples.
  State& Ready(Napi::Env env);
  using Need = gaussflow::Curvature::Need;
  // The curvature of the engine, which is ready; throws GAUSSFLOW_STATE where it cannot do that.
  gaussflow::Curvature& Standing(Napi::Env env, Need need);
  // RunCall of compute(state), under ranks, which wait for each other, always off the event loop.
  Napi::Value Run(Napi::Env env, double flops, std::function<Status(State&)> compute,
                  PromiseWorker::Finish finish);
  double SolveCost() const;

  std::shared_ptr<State> state_;
  // What holds the table of the ranks. This object lives as long as its calls.
  Napi::Reference<arguments::ExchangeValue> exchange_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_ENGINE_OBJECT_H_
