// Implements the methods of NativeEngine (engine_object.h) that use the curvature of the last
// linearization (eigenvalues, inertia, products, layer factors, inverses) or the exact Hessian at
// its parameters, and its estimate of bytes.
#include <utility>

#include "../core/cost.h"
#include "../core/curvature/layer_factors.h"
#include "arguments.h"
#include "engine_object.h"
#include "values.h"

namespace gaussflow {

Footprint EngineObject::EstimateBytes(const Sizes& sizes, const std::vector<Formed>& turns) {
  // The vectors of State: the parameters come with every call.
  const double vector = BytesOf<double>(sizes.net.parameter_count);
  Footprint most = Engine::EstimateBytes(sizes, {});
  most.workspaces += vector;
  bool answer = false, velocity = false;
  for (size_t count = 1; count <= turns.size(); ++count) {
    Sizes last = sizes;
    last.formed = turns[count - 1];
    const auto estimate = CurvatureStore::EstimateOf(last);
    answer = answer || estimate.solves();
    velocity = velocity || estimate.accelerates();
    const std::vector<Formed> taken(turns.begin(), turns.begin() + static_cast<ptrdiff_t>(count));
    Footprint bytes = Engine::EstimateBytes(sizes, taken);
    bytes.workspaces += vector * (1.0 + (answer ? 1.0 : 0.0) + (velocity ? 1.0 : 0.0));
    if (bytes.total() > most.total()) most = bytes;
  }
  return most;
}

gaussflow::Curvature& EngineObject::Standing(Napi::Env env, Need need) {
  gaussflow::Curvature& curvature = Ready(env).engine.curvature();
  const char* refusal = curvature.Refusal(need);
  if (refusal != nullptr) throw CodedError(env, "GAUSSFLOW_STATE", refusal);
  return curvature;
}

Napi::Value EngineObject::Curvature(const Napi::CallbackInfo& info) {
  const gaussflow::Curvature& curvature = Standing(info.Env(), Need::kView);
  const size_t count = curvature.order() * curvature.order();
  Napi::Float64Array out;
  if (info[0].IsNull() || info[0].IsUndefined()) {
    out = NewArray(info.Env(), count);
  } else {
    arguments::Doubles(info, 0, "into", count);
    out = info[0].As<Napi::Float64Array>();
  }
  curvature.dense()->Copy(out.Data());
  return out;
}

Napi::Value EngineObject::RestoreCurvature(const Napi::CallbackInfo& info) {
  Engine& engine = Ready(info.Env()).engine;
  const size_t p = engine.architecture().parameter_count;
  const Status status = engine.RestoreAverage(arguments::Doubles(info, 0, "matrix", p * p));
  state_->ReportBytes(info.Env());
  return status.ok() ? info.Env().Undefined() : FailureValue(info.Env(), status);
}

Napi::Value EngineObject::Eigen(const Napi::CallbackInfo& info) {
  const size_t order = Standing(info.Env(), Need::kView).order();
  const bool wanted = arguments::Boolean(info, 0, "vectors");
  auto values = NewDoubles(order);
  auto vectors = std::make_shared<Doubles>();
  return Run(
      info.Env(), cost::Eigen(order, wanted),
      [values, vectors, wanted](State& s) {
        if (wanted) *vectors = Zeros<double>(values->size() * values->size());
        return s.engine.curvature().dense()->Eigen(s.Flags(), values->data(),
                                                   wanted ? vectors->data() : nullptr);
      },
      [values, vectors, wanted](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("values", ToArray(env, *values));
        object.Set("vectors", wanted ? ToArray(env, *vectors) : env.Null());
        return object;
      });
}

Napi::Value EngineObject::EigenvaluesBelow(const Napi::CallbackInfo& info) {
  Standing(info.Env(), Need::kView);
  const double bound = arguments::Number(info, 0, "bound", 0.0);
  auto count = std::make_shared<size_t>(0);
  return Run(
      info.Env(), SolveCost(),
      [bound, count](State& s) {
        return s.engine.curvature().dense()->EigenvaluesBelow(bound, s.Flags(), count.get());
      },
      [count](Napi::Env env) { return Napi::Number::New(env, static_cast<double>(*count)); });
}

Napi::Value EngineObject::CurvatureProduct(const Napi::CallbackInfo& info) {
  const size_t order = Standing(info.Env(), Need::kProduct).order();
  auto v = arguments::RowsCopy(info, 0, "vectors", order);
  // Not from v between the arguments of Run: which of them is worked out first is not said.
  const size_t count = v.size() / order;
  auto out = NewDoubles(v.size());
  return Run(
      info.Env(), static_cast<double>(count) * SolveCost(),
      [v = std::move(v), count, out](State& s) {
        return s.engine.curvature().Multiply(count, v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::HessianProduct(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  auto v = arguments::RowsCopy(info, 0, "vectors", net.parameter_count);
  const size_t count = v.size() / net.parameter_count;
  auto out = NewDoubles(v.size());
  return Run(
      info.Env(), static_cast<double>(count) * cost::HessianProduct(net, engine.sample_count()),
      [v = std::move(v), count, out](State& s) {
        return s.engine.HessianProduct(count, v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::DampedInverse(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  auto v = arguments::DoublesCopy(info, 0, "vector", net.parameter_count);
  auto out = NewDoubles(v.size());
  const gaussflow::Curvature* factor = engine.factor();
  // All but the Gram matrix need a product with J and one with its transpose, too.
  const bool alone = factor == nullptr || factor->traits().factor_alone;
  const double products = alone ? 0.0 : 2.0 * cost::Passes(net, engine.sample_count());
  return Run(
      info.Env(), cost::Solves(factor == nullptr ? 0 : factor->order()) + products,
      [v = std::move(v), out](State& s) {
        return s.engine.DampedInverse(v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::LayerFactors(const Napi::CallbackInfo& info) {
  Standing(info.Env(), Need::kLayerFactors);
  const Engine& engine = state_->engine;
  auto out = NewDoubles(LayerFactorsSize(engine.architecture()));
  return Run(
      info.Env(), static_cast<double>(out->size()) * static_cast<double>(engine.sample_count()),
      [out](State& s) { return s.engine.curvature().LayerFactors(s.Flags(), out->data()); },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::CurvatureInverse(const Napi::CallbackInfo& info) {
  const size_t order = Standing(info.Env(), Need::kInverse).order();
  auto v = arguments::DoublesCopy(info, 0, "vector", order);
  const double shift = arguments::Number(info, 1, "shift", 0.0);
  auto out = NewDoubles(order);
  return Run(
      info.Env(), SolveCost(),
      [v = std::move(v), shift, out](State& s) {
        return s.engine.curvature().Inverse(v.data(), shift, s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

}  // namespace gaussflow
