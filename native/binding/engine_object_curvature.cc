// The methods of EngineObject that use the curvature of the last linearization.
#include <utility>

#include "../core/cost.h"
#include "arguments.h"
#include "engine_object.h"
#include "values.h"

namespace gaussflow {

using Curvature_ = gaussflow::Curvature;  // the class has a method of that name

const gaussflow::Engine& EngineObject::Curved(Napi::Env env, Need need) {
  const gaussflow::Engine& engine = Ready(env).engine;
  if (engine.CurvatureOrder() == 0)
    throw CodedError(env, "GAUSSFLOW_STATE", "there is no curvature: linearize with one first");
  if (need != Need::kForm && engine.curvature() == Curvature_::kOrthogonal)
    throw CodedError(env, "GAUSSFLOW_STATE",
                     "the orthogonal route holds no matrix: linearize with primal or dual first");
  if (need != Need::kProduct && engine.curvature() == Curvature_::kMatrixFree)
    throw CodedError(
        env, "GAUSSFLOW_STATE",
        "the matrix-free route has products only: linearize with primal or dual first");
  if (need != Need::kProduct && engine.precision() == Precision::kSingle)
    throw CodedError(
        env, "GAUSSFLOW_STATE",
        "the curvature is held in single precision: linearize in double precision first");
  return engine;
}

Napi::Value EngineObject::Curvature(const Napi::CallbackInfo& info) {
  const gaussflow::Engine& engine = Curved(info.Env(), Need::kForm);
  const size_t order = engine.CurvatureOrder();
  Napi::Float64Array out = NewArray(info.Env(), order * order);
  engine.CopyCurvature(out.Data());
  return out;
}

Napi::Value EngineObject::Eigen(const Napi::CallbackInfo& info) {
  const size_t order = Curved(info.Env(), Need::kForm).CurvatureOrder();
  const bool wanted = arguments::Boolean(info, 0, "vectors");
  auto values = NewDoubles(order);
  auto vectors = std::make_shared<Doubles>();
  return Run(
      info.Env(), cost::Eigen(order, wanted),
      [values, vectors, wanted](State& s) {
        if (wanted) *vectors = Zeros<double>(values->size() * values->size());
        return s.engine.Eigen(s.Flags(), values->data(), wanted ? vectors->data() : nullptr);
      },
      [values, vectors, wanted](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("values", ToArray(env, *values));
        object.Set("vectors", wanted ? ToArray(env, *vectors) : env.Null());
        return object;
      });
}

Napi::Value EngineObject::EigenvaluesBelow(const Napi::CallbackInfo& info) {
  Curved(info.Env(), Need::kForm);
  const double bound = arguments::Number(info, 0, "bound", 0.0);
  auto count = std::make_shared<size_t>(0);
  return Run(
      info.Env(), SolveCost(),
      [bound, count](State& s) { return s.engine.EigenvaluesBelow(bound, s.Flags(), count.get()); },
      [count](Napi::Env env) { return Napi::Number::New(env, static_cast<double>(*count)); });
}

Napi::Value EngineObject::CurvatureProduct(const Napi::CallbackInfo& info) {
  const size_t order = Curved(info.Env(), Need::kProduct).CurvatureOrder();
  auto v = arguments::RowsCopy(info, 0, "vectors", order);
  // Not from v between the arguments of Run: which of them is worked out first is not said.
  const size_t count = v.size() / order;
  auto out = NewDoubles(v.size());
  return Run(
      info.Env(), static_cast<double>(count) * SolveCost(),
      [v = std::move(v), count, out](State& s) {
        return s.engine.CurvatureProduct(count, v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::LayerFactors(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  if (engine.curvature() != Curvature_::kMatrixFree)
    throw CodedError(info.Env(), "GAUSSFLOW_STATE", "layer factors are of a matrix-free curvature");
  auto out = NewDoubles(engine.LayerFactorsSize());
  return Run(
      info.Env(), static_cast<double>(out->size()) * static_cast<double>(engine.sample_count()),
      [out](State& s) { return s.engine.LayerFactors(s.Flags(), out->data()); },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::CurvatureInverse(const Napi::CallbackInfo& info) {
  const size_t order = Curved(info.Env(), Need::kMatrix).CurvatureOrder();
  auto v = arguments::DoublesCopy(info, 0, "vector", order);
  const double shift = arguments::Number(info, 1, "shift", 0.0);
  auto out = NewDoubles(order);
  return Run(
      info.Env(), SolveCost(),
      [v = std::move(v), shift, out](State& s) {
        return s.engine.CurvatureInverse(v.data(), shift, s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

}  // namespace gaussflow
