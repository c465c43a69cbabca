// Implements the construction, the points and the steps of NativeJetEngine (jet_engine_object.h).
#include "jet_engine_object.h"

#include <string>
#include <utility>

#include "../core/vectors.h"
#include "arguments.h"
#include "jet_arguments.h"
#include "target.h"
#include "values.h"

namespace gaussflow {

Napi::Function JetEngineObject::Define(Napi::Env env) {
  using Object = JetEngineObject;
  return DefineClass(
      env, "NativeJetEngine",
      {InstanceMethod<&Object::Call<&Object::LoadTerm>>("loadTerm"),
       InstanceMethod<&Object::Call<&Object::Evaluate>>("evaluate"),
       InstanceMethod<&Object::Call<&Object::Linearize>>("linearize"),
       InstanceMethod<&Object::Call<&Object::Solve>>("solve"),
       InstanceMethod<&Object::Call<&Object::Accelerate>>("accelerate"),
       InstanceMethod<&Object::Call<&Object::Residuals>>("residuals"),
       InstanceMethod<&Object::Call<&Object::Jacobian>>("jacobian"),
       InstanceMethod<&Object::Call<&Object::OutputJets>>("outputJets"),
       InstanceMethod<&Object::Call<&Object::Curvature>>("curvature"),
       InstanceMethod<&Object::Call<&Object::Eigen>>("eigen"),
       InstanceMethod<&Object::Call<&Object::CurvatureProduct>>("curvatureProduct"),
       InstanceMethod<&Object::Call<&Object::CurvatureInverse>>("curvatureInverse"),
       InstanceMethod<&Object::Call<&Object::DampedInverse>>("dampedInverse"),
       InstanceMethod<&Object::Call<&Object::Parameters>>("parameters"),
       InstanceMethod<&Object::Cancel_>("cancel"), InstanceMethod<&Object::Bytes>("bytes"),
       InstanceMethod<&Object::Dispose>("dispose")});
}

JetEngineObject::JetEngineObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<JetEngineObject>(info) {
  Status status;
  try {
    status = Construct(info);
  } catch (const OutOfMemory& error) {
    status = Status::Memory(error.bytes());
  } catch (const std::bad_alloc&) {
    status = Status::Memory(0);
  }
  if (status.ok()) return;
  throw CodedError(info.Env(), "GAUSSFLOW_MEMORY",
                   status.value > 0 ? "the points need " + std::to_string(status.value) + " bytes"
                                    : std::string("there is no memory for another engine"));
}

Status JetEngineObject::Construct(const Napi::CallbackInfo& info) {
  const Environment& environment = *info.Env().GetInstanceData<Environment>();
  Architecture net = arguments::Network(info, 0, "network");
  const size_t unknowns = arguments::Integer(info, 2, "unknownCount", 0, 2147483647);
  const size_t threads = arguments::Integer(info, 3, "threads", 1, ThreadPool::kMaxThreads);
  std::vector<JetTerm> terms = arguments::JetTerms(info, 1, net, unknowns);
  for (size_t t = 0; t < terms.size(); ++t) {
    const size_t doubles = terms[t].InputDoubles(net.input_size) + terms[t].AuxiliaryDoubles();
    if (!arguments::LoadJetTerm(info, 1, t, net.input_size, &terms[t]))
      return Status::Memory(doubles * sizeof(double));
  }
  state_ = std::make_shared<State>(std::move(net), std::move(terms), unknowns,
                                   static_cast<int>(threads));
  state_->Enter(environment, threads);
  return Status::Ok();
}

Footprint JetEngineObject::EstimateBytes(const Architecture& net, const std::vector<JetTerm>& terms,
                                         size_t unknowns, int threads) {
  Footprint bytes = JetEngine::EstimateBytes(net, terms, unknowns, threads);
  // The vectors of CallState.
  bytes.workspaces += 3.0 * BytesOf<double>(net.parameter_count + unknowns);
  return bytes;
}

void JetEngineObject::Finalize(Napi::Env env) {
  if (state_ != nullptr) state_->GiveBytesBack(env);
}

JetEngineObject::State& JetEngineObject::Ready(Napi::Env env) {
  if (state_ == nullptr) throw CodedError(env, "GAUSSFLOW_STATE", kDisposed);
  if (state_->busy.load())
    throw CodedError(env, "GAUSSFLOW_BUSY", "the engine is at work: await the call before");
  state_->ReportBytes(env);
  return *state_;
}

double JetEngineObject::SolveCost() const {
  return cost::FactorAndSolve(state_->engine.parameter_count());
}

Napi::Value JetEngineObject::Run(Napi::Env env, double flops, std::function<Status(State&)> compute,
                                 PromiseWorker::Finish finish) {
  const std::shared_ptr<State> state = state_;
  return RunCall(
      env, this, state, flops, true,
      [state, compute = std::move(compute)] { return compute(*state); }, std::move(finish));
}

void JetEngineObject::TakeParameters(const Napi::CallbackInfo& info) {
  const size_t p = state_->engine.parameter_count();
  const double* from = arguments::Doubles(info, 0, "parameters", p);
  Resize(&state_->parameters, p);
  Copy(p, from, state_->parameters.data(), state_->engine.threads());
}

Napi::Value JetEngineObject::LoadTerm(const Napi::CallbackInfo& info) {
  JetEngine& engine = Ready(info.Env()).engine;
  const size_t t = arguments::Integer(info, 0, "term", 0, engine.terms().size() - 1);
  const JetTerm& term = engine.terms()[t];
  const size_t inputs = term.InputDoubles(engine.architecture().input_size);
  const Status status =
      engine.Load(t, arguments::Doubles(info, 1, "inputs", inputs),
                  arguments::Doubles(info, 2, "auxiliary", term.AuxiliaryDoubles()));
  return status.ok() ? info.Env().Undefined() : FailureValue(info.Env(), status);
}

Napi::Value JetEngineObject::Evaluate(const Napi::CallbackInfo& info) {
  const JetEngine& engine = Ready(info.Env()).engine;
  TakeParameters(info);
  auto loss = std::make_shared<double>(0.0);
  return Run(
      info.Env(), engine.PassFlops(),
      [loss](State& s) { return s.engine.Evaluate(s.parameters.data(), s.Flags(), loss.get()); },
      [loss](Napi::Env env) { return Napi::Number::New(env, *loss); });
}

Napi::Value JetEngineObject::Linearize(const Napi::CallbackInfo& info) {
  const JetEngine& engine = Ready(info.Env()).engine;
  const size_t p = engine.parameter_count();
  struct Call {
    Doubles scaling;
    Linearization result;
  };
  auto call = std::make_shared<Call>();
  TakeParameters(info);
  const bool curvature = arguments::Integer(info, 1, "curvature", 0, 1) == 1;
  const double decay = arguments::Number(info, 2, "decay", 0.0);
  const double* scaling = arguments::OptionalDoubles(info, 3, "scaling", p);
  if (scaling != nullptr) call->scaling.assign(scaling, scaling + p);
  const Target target(info, 4, "gradient", p);
  return Run(
      info.Env(), engine.LinearizeFlops(curvature),
      [call, curvature, decay](State& s) {
        return s.engine.Linearize(s.parameters.data(), curvature, decay,
                                  call->scaling.empty() ? nullptr : call->scaling.data(), s.Flags(),
                                  &call->result);
      },
      [call, target, p, state = state_](Napi::Env env) -> Napi::Value {
        // First of all: the engine is free by now, and the next call's gradient goes there too.
        const JetEngine& done = state->engine;
        const Napi::Float64Array gradient =
            target.Fill(env, p, done.gradient().data(), done.threads());
        Napi::Object object = Napi::Object::New(env);
        object.Set("loss", call->result.loss);
        object.Set("gradient", gradient);
        object.Set("scaling", call->scaling.empty() ? env.Null() : ToArray(env, call->scaling));
        object.Set("gradientCosine", call->result.gradient_cosine);
        object.Set("passSeconds", call->result.pass_seconds);
        object.Set("curvatureSeconds", call->result.curvature_seconds);
        return object;
      });
}

Napi::Value JetEngineObject::Solve(const Napi::CallbackInfo& info) {
  const size_t p = Ready(info.Env()).engine.parameter_count();
  struct Call {
    Damping damping;
    Doubles scaling, left, right;
    Solution result;
  };
  auto call = std::make_shared<Call>();
  call->damping.mu = arguments::Number(info, 0, "damping", 0.0);
  call->damping.decay = arguments::Number(info, 1, "decay", 0.0);
  const double* scaling = arguments::OptionalDoubles(info, 2, "scaling", p);
  if (scaling != nullptr) call->scaling.assign(scaling, scaling + p);
  if (scaling != nullptr) call->damping.scaling = call->scaling.data();
  call->damping.condition = arguments::Boolean(info, 3, "condition");
  if (!info[4].IsNull()) call->left = arguments::RowsCopy(info, 4, "left", p);
  if (!info[5].IsNull()) call->right = arguments::RowsCopy(info, 5, "right", p);
  if (call->left.size() != call->right.size())
    throw CodedError(info.Env(), "GAUSSFLOW_ARGUMENT", "left and right must have as many rows");
  call->damping.correction = {call->left.size() / p, call->left.data(), call->right.data()};
  const Target target(info, 6, "step", p);
  return Run(
      info.Env(), SolveCost(),
      [call, p](State& s) {
        if (!s.answer.Reserve(p)) return Status::Memory(p * sizeof(double));
        return s.engine.Solve(call->damping, s.Flags(), s.answer.data(), &call->result);
      },
      [call, target, p, state = state_](Napi::Env env) -> Napi::Value {
        const Napi::Float64Array step =
            target.Fill(env, p, state->answer.data(), state->engine.threads());
        Napi::Object object = Napi::Object::New(env);
        object.Set("step", step);
        object.Set("condition", call->result.condition);
        object.Set("residual", call->result.residual);
        return object;
      });
}

Napi::Value JetEngineObject::Accelerate(const Napi::CallbackInfo& info) {
  const JetEngine& engine = Ready(info.Env()).engine;
  const size_t p = engine.parameter_count();
  const double* velocity = arguments::Doubles(info, 0, "velocity", p);
  const Target target(info, 1, "acceleration", p);
  const bool room = state_->velocity.Reserve(p) && state_->answer.Reserve(p);
  if (room) Copy(p, velocity, state_->velocity.data(), engine.threads());
  return Run(
      info.Env(), cost::Solves(p) + 7.0 * engine.PassFlops(),
      [room, p](State& s) {
        if (!room) return Status::Memory(p * sizeof(double));
        return s.engine.Accelerate(s.velocity.data(), s.Flags(), s.answer.data());
      },
      [target, p, state = state_](Napi::Env env) {
        return target.Fill(env, p, state->answer.data(), state->engine.threads());
      });
}

}  // namespace gaussflow
