// The JavaScript class NativeJetEngine: owns one core engine for residuals with derivatives
// (native/core/jets/jet_engine.h) and runs one call at a time on it. addon.cc exports the class;
// src/backend/native/jet-engine.ts creates and calls it.
#ifndef GAUSSFLOW_BINDING_JET_ENGINE_OBJECT_H_
#define GAUSSFLOW_BINDING_JET_ENGINE_OBJECT_H_

#include <memory>

#include "../core/jets/jet_engine.h"
#include "call_state.h"
#include "napi_setup.h"
#include "promise_worker.h"

namespace gaussflow {

class JetEngineObject : public Napi::ObjectWrap<JetEngineObject> {
 public:
  static Napi::Function Define(Napi::Env env);

  // (network, terms, unknownCount, threads), as binding.ts declares them; the points are copied.
  explicit JetEngineObject(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

  // The most that `bytes` will be.
  static Footprint EstimateBytes(const Architecture& net, const std::vector<JetTerm>& terms,
                                 size_t unknowns, int threads);

 private:
  struct State : CallState {
    State(Architecture net, std::vector<JetTerm> terms, size_t unknowns, int threads)
        : engine(std::move(net), std::move(terms), unknowns, threads) {}
    size_t EngineBytes() const override { return engine.bytes(); }
    JetEngine engine;
  };

  Napi::Value LoadTerm(const Napi::CallbackInfo& info);
  Napi::Value Evaluate(const Napi::CallbackInfo& info);
  Napi::Value Linearize(const Napi::CallbackInfo& info);
  Napi::Value Solve(const Napi::CallbackInfo& info);
  Napi::Value Accelerate(const Napi::CallbackInfo& info);
  Napi::Value Residuals(const Napi::CallbackInfo& info);
  Napi::Value Jacobian(const Napi::CallbackInfo& info);
  Napi::Value OutputJets(const Napi::CallbackInfo& info);
  Napi::Value Curvature(const Napi::CallbackInfo& info);
  Napi::Value Eigen(const Napi::CallbackInfo& info);
  Napi::Value CurvatureProduct(const Napi::CallbackInfo& info);
  Napi::Value CurvatureInverse(const Napi::CallbackInfo& info);
  Napi::Value DampedInverse(const Napi::CallbackInfo& info);
  Napi::Value Parameters(const Napi::CallbackInfo& info);
  Napi::Value Cancel_(const Napi::CallbackInfo& info);
  Napi::Value Bytes(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  // The method's value, or memory that it could not have as a failure.
  template <Napi::Value (JetEngineObject::*method)(const Napi::CallbackInfo&)>
  Napi::Value Call(const Napi::CallbackInfo& info) {
    return OrMemory(info.Env(), [&] { return (this->*method)(info); });
  }
  Status Construct(const Napi::CallbackInfo& info);
  void TakeParameters(const Napi::CallbackInfo& info);
  // The state, free for a new call; throws GAUSSFLOW_BUSY or GAUSSFLOW_STATE where it is not.
  State& Ready(Napi::Env env);
  // The engine, which must hold a matrix; throws GAUSSFLOW_STATE where it does not.
  JetEngine& Standing(Napi::Env env);
  Napi::Value Run(Napi::Env env, double flops, std::function<Status(State&)> compute,
                  PromiseWorker::Finish finish);
  double SolveCost() const;

  std::shared_ptr<State> state_;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_JET_ENGINE_OBJECT_H_
