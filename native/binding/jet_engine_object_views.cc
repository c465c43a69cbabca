// Implements the methods of NativeJetEngine (jet_engine_object.h) beside steps: residuals, rows of
// J, jets of the outputs, and what looks at the matrix of the last linearization.
#include <utility>

#include "arguments.h"
#include "jet_arguments.h"
#include "jet_engine_object.h"
#include "values.h"

namespace gaussflow {

Napi::Value JetEngineObject::Residuals(const Napi::CallbackInfo& info) {
  const JetEngine& engine = Ready(info.Env()).engine;
  TakeParameters(info);
  auto out = NewDoubles(engine.row_count());
  return Run(
      info.Env(), engine.PassFlops(),
      [out](State& s) { return s.engine.Residuals(s.parameters.data(), s.Flags(), out->data()); },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value JetEngineObject::Jacobian(const Napi::CallbackInfo& info) {
  const JetEngine& engine = Ready(info.Env()).engine;
  TakeParameters(info);
  const size_t rows = engine.row_count();
  const size_t first = arguments::Integer(info, 1, "first", 0, rows - 1);
  const size_t count = arguments::Integer(info, 2, "count", 1, rows - first);
  auto out = NewDoubles(Times(count, engine.parameter_count()));
  return Run(
      info.Env(), engine.LinearizeFlops(false),
      [first, count, out](State& s) {
        return s.engine.Jacobian(s.parameters.data(), first, count, s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value JetEngineObject::OutputJets(const Napi::CallbackInfo& info) {
  const JetEngine& engine = Ready(info.Env()).engine;
  TakeParameters(info);
  if (!info[1].IsObject()) throw arguments::Error(info.Env(), "channels", "must be an object");
  const Architecture& net = engine.architecture();
  auto channels =
      std::make_shared<JetChannels>(arguments::Channels(info[1].As<Napi::Object>(), "channels"));
  const size_t width = channels->count() * net.input_size;
  auto inputs = std::make_shared<Doubles>(arguments::RowsCopy(info, 2, "inputs", width));
  const size_t points = inputs->size() / width;
  auto out = NewDoubles(points * channels->count() * net.output_size);
  return Run(
      info.Env(), engine.PointFlops(*channels) * static_cast<double>(points),
      [channels, points, inputs, out](State& s) {
        return s.engine.OutputJets(s.parameters.data(), *channels, points, inputs->data(),
                                   s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

JetEngine& JetEngineObject::Standing(Napi::Env env) {
  JetEngine& engine = Ready(env).engine;
  if (!engine.holds())
    throw CodedError(env, "GAUSSFLOW_STATE", "there is no curvature: linearize with primal first");
  return engine;
}

Napi::Value JetEngineObject::Curvature(const Napi::CallbackInfo& info) {
  JetEngine& engine = Standing(info.Env());
  const size_t count = engine.parameter_count() * engine.parameter_count();
  Napi::Float64Array out;
  if (info[0].IsNull() || info[0].IsUndefined()) {
    out = NewArray(info.Env(), count);
  } else {
    arguments::Doubles(info, 0, "into", count);
    out = info[0].As<Napi::Float64Array>();
  }
  engine.solver().Copy(out.Data());
  return out;
}

Napi::Value JetEngineObject::Eigen(const Napi::CallbackInfo& info) {
  const size_t p = Standing(info.Env()).parameter_count();
  const bool wanted = arguments::Boolean(info, 0, "vectors");
  auto values = NewDoubles(p);
  auto vectors = std::make_shared<Doubles>();
  return Run(
      info.Env(), cost::Eigen(p, wanted),
      [values, vectors, wanted](State& s) {
        if (wanted) *vectors = Zeros<double>(values->size() * values->size());
        return s.engine.solver().Eigen(s.Flags(), values->data(),
                                       wanted ? vectors->data() : nullptr);
      },
      [values, vectors, wanted](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("values", ToArray(env, *values));
        object.Set("vectors", wanted ? ToArray(env, *vectors) : env.Null());
        return object;
      });
}

Napi::Value JetEngineObject::CurvatureProduct(const Napi::CallbackInfo& info) {
  const size_t p = Standing(info.Env()).parameter_count();
  auto v = arguments::RowsCopy(info, 0, "vectors", p);
  const size_t count = v.size() / p;
  auto out = NewDoubles(v.size());
  return Run(
      info.Env(), static_cast<double>(count) * cost::Solves(p),
      [v = std::move(v), count, out](State& s) {
        return s.engine.solver().Multiply(count, v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value JetEngineObject::CurvatureInverse(const Napi::CallbackInfo& info) {
  const size_t p = Standing(info.Env()).parameter_count();
  auto v = arguments::DoublesCopy(info, 0, "vector", p);
  const double shift = arguments::Number(info, 1, "shift", 0.0);
  auto out = NewDoubles(p);
  return Run(
      info.Env(), SolveCost(),
      [v = std::move(v), shift, out](State& s) {
        return s.engine.solver().Inverse(v.data(), shift, s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value JetEngineObject::DampedInverse(const Napi::CallbackInfo& info) {
  const size_t p = Ready(info.Env()).engine.parameter_count();
  auto v = arguments::DoublesCopy(info, 0, "vector", p);
  auto out = NewDoubles(p);
  return Run(
      info.Env(), cost::Solves(p),
      [v = std::move(v), out](State& s) {
        return s.engine.DampedInverse(v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value JetEngineObject::Parameters(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), Ready(info.Env()).engine.parameters());
}

Napi::Value JetEngineObject::Cancel_(const Napi::CallbackInfo& info) {
  if (state_ != nullptr) state_->cancel.store(true);
  return info.Env().Undefined();
}

Napi::Value JetEngineObject::Bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), state_ == nullptr ? 0.0 : state_->ReadableBytes());
}

Napi::Value JetEngineObject::Dispose(const Napi::CallbackInfo& info) {
  if (state_ != nullptr) {
    state_->Dispose(info.Env());
    state_.reset();
  }
  return info.Env().Undefined();
}

}  // namespace gaussflow
