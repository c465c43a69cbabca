// Implements the methods of NativeEngine (engine_object.h) that a step of a run is made of:
// linearization, solve and acceleration.
#include <utility>

#include "../core/cost.h"
#include "arguments.h"
#include "engine_object.h"
#include "target.h"
#include "values.h"

namespace gaussflow {

Napi::Value EngineObject::Linearize(const Napi::CallbackInfo& info) {
  Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  struct Call {
    Doubles scaling;
    std::vector<uint32_t> subset;
    Doubles signs, rows, gradient;  // of the sampled curvature
    Average average;
    Linearization result;
  };
  auto call = std::make_shared<Call>();
  TakeParameters(info);
  Request request(static_cast<Route>(arguments::Integer(info, 1, "curvature", 0, kLastRoute)));
  const double decay = arguments::Number(info, 2, "decay", 0.0);
  request.precision = static_cast<Precision>(arguments::Integer(info, 4, "precision", 0, 1));
  request.exact_measure_below = arguments::Limit(info, 5, "exactMeasureBelow");
  call->subset = arguments::OptionalSubset(info, 6, "subset", engine.total_count());
  if (!call->subset.empty()) request.subset = &call->subset;
  if (request.route == Route::kSampled)
    request.sampled =
        arguments::Sampled(info, 8, engine, &call->signs, &call->rows, &call->gradient);
  if (const double* shares = arguments::OptionalDoubles(info, 11, "accumulate", 2)) {
    call->average = {shares[0], shares[1]};
    request.average = &call->average;
  }
  if (const char* refusal = engine.Refusal(request); refusal != nullptr)
    throw arguments::Error(info.Env(), "slots", refusal);
  const size_t factors = engine.FormedBy(request).traits().scaling_count;
  const double* scaling = arguments::OptionalDoubles(info, 3, "scaling", factors);
  if (scaling != nullptr) call->scaling.assign(scaling, scaling + factors);
  const Target target(info, 7, "gradient", net.parameter_count);
  return Run(
      info.Env(), LinearizeFlops(net, engine.sample_count(), request.route),
      [call, request, decay](State& s) {
        return s.engine.Linearize(s.parameters.data(), request, decay,
                                  call->scaling.empty() ? nullptr : call->scaling.data(), s.Flags(),
                                  &call->result);
      },
      [call, target, route = request.route, state = state_](Napi::Env env) -> Napi::Value {
        // First of all: the engine is free by now, and the next call's gradient goes there too.
        const Engine& done = state->engine;
        const Napi::Float64Array gradient =
            target.Fill(env, done.gradient().size(), done.gradient().data(), done.threads());
        Napi::Object object = Napi::Object::New(env);
        object.Set("loss", call->result.loss);
        object.Set("gradient", gradient);
        object.Set("scaling", call->scaling.empty() ? env.Null() : ToArray(env, call->scaling));
        object.Set("gradientCosine", call->result.gradient_cosine);
        const bool none = done.architecture().loss.sum_of_squares() || route == Route::kSampled;
        object.Set("residualSquare",
                   none ? env.Null() : Napi::Number::New(env, call->result.residual_square));
        const Doubles& diagonal = call->result.diagonal;
        object.Set("diagonal", diagonal.empty() ? env.Null() : ToArray(env, diagonal));
        object.Set("passSeconds", call->result.pass_seconds);
        object.Set("curvatureSeconds", call->result.curvature_seconds);
        return object;
      });
}

Napi::Value EngineObject::Solve(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  struct Call {
    Damping damping;
    Doubles scaling, left, right;
    Solution result;
  };
  auto call = std::make_shared<Call>();
  call->damping.mu = arguments::Number(info, 0, "damping", 0.0);
  call->damping.decay = arguments::Number(info, 1, "decay", 0.0);
  const size_t factors = engine.curvature().traits().scaling_count;
  const double* scaling = arguments::OptionalDoubles(info, 2, "scaling", factors);
  if (scaling != nullptr) call->scaling.assign(scaling, scaling + factors);
  if (scaling != nullptr) call->damping.scaling = call->scaling.data();
  call->damping.condition = arguments::Boolean(info, 3, "condition");
  call->damping.tolerance = arguments::Number(info, 4, "tolerance", 0.0);
  if (!info[5].IsNull()) call->left = arguments::RowsCopy(info, 5, "left", net.parameter_count);
  if (!info[6].IsNull()) call->right = arguments::RowsCopy(info, 6, "right", net.parameter_count);
  if (call->left.size() != call->right.size())
    throw CodedError(info.Env(), "GAUSSFLOW_ARGUMENT", "left and right must have as many rows");
  const Target target(info, 7, "step", net.parameter_count);
  const size_t p = net.parameter_count;
  call->damping.correction = {call->left.size() / p, call->left.data(), call->right.data()};
  return Run(
      info.Env(), SolveCost(),
      [call, p](State& s) {
        if (!s.answer.Reserve(p)) return Status::Memory(p * sizeof(double));
        return s.engine.Solve(call->damping, s.Flags(), s.answer.data(), &call->result);
      },
      [call, target, p, state = state_](Napi::Env env) -> Napi::Value {
        // First of all, as in Linearize.
        const Napi::Float64Array step =
            target.Fill(env, p, state->answer.data(), state->engine.threads());
        Napi::Object object = Napi::Object::New(env);
        object.Set("step", step);
        object.Set("condition", call->result.condition);
        object.Set("residual", call->result.residual);
        object.Set("steps", static_cast<double>(call->result.steps));
        const Rank& rank = call->result.rank;
        const Doubles values = {static_cast<double>(rank.rank), rank.tolerance, rank.largest,
                                rank.smallest};
        object.Set("rank", rank.tolerance > 0.0 ? ToArray(env, values) : env.Null());
        return object;
      });
}

Napi::Value EngineObject::Accelerate(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  const size_t p = net.parameter_count;
  const double* velocity = arguments::Doubles(info, 0, "velocity", p);
  const size_t factors = engine.curvature().traits().scaling_count;
  const double* given = arguments::OptionalDoubles(info, 1, "scaling", factors);
  Doubles scaling;
  if (given != nullptr) scaling.assign(given, given + factors);
  const Target target(info, 2, "acceleration", p);
  const bool room = state_->velocity.Reserve(p) && state_->answer.Reserve(p);
  if (room) Copy(p, velocity, state_->velocity.data(), engine.threads());
  return Run(
      info.Env(), SolveCost() + 2.0 * cost::Passes(net, engine.sample_count()),
      [room, p, scaling = std::move(scaling)](State& s) {
        if (!room) return Status::Memory(p * sizeof(double));
        return s.engine.Accelerate(s.velocity.data(), scaling.empty() ? nullptr : scaling.data(),
                                   s.Flags(), s.answer.data());
      },
      [target, p, state = state_](Napi::Env env) {
        return target.Fill(env, p, state->answer.data(), state->engine.threads());
      });
}

}  // namespace gaussflow
