// Implements the construction, data, evaluation and products of NativeEngine (engine_object.h), and
// Run, which decides whether a call runs synchronously or on another thread.
#include "engine_object.h"

#include <utility>

#include "../core/cost.h"
#include "../core/vectors.h"
#include "arguments.h"
#include "environment.h"
#include "values.h"

namespace gaussflow {

Napi::Function EngineObject::Define(Napi::Env env) {
  return DefineClass(
      env, "NativeEngine",
      {InstanceMethod<&EngineObject::Call<&EngineObject::TouchPages>>("touchPages"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Fill>>("fill"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Load>>("load"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Forward>>("forward"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Evaluate>>("evaluate"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Linearize>>("linearize"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Solve>>("solve"),
       InstanceMethod<&EngineObject::Call<&EngineObject::JacobianProduct>>("jacobianProduct"),
       InstanceMethod<&EngineObject::Call<&EngineObject::TransposeProduct>>("transposeProduct"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Jacobian>>("jacobian"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Curvature>>("curvature"),
       InstanceMethod<&EngineObject::Call<&EngineObject::RestoreCurvature>>("restoreCurvature"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Eigen>>("eigen"),
       InstanceMethod<&EngineObject::Call<&EngineObject::EigenvaluesBelow>>("eigenvaluesBelow"),
       InstanceMethod<&EngineObject::Call<&EngineObject::CurvatureProduct>>("curvatureProduct"),
       InstanceMethod<&EngineObject::Call<&EngineObject::HessianProduct>>("hessianProduct"),
       InstanceMethod<&EngineObject::Call<&EngineObject::DampedInverse>>("dampedInverse"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Accelerate>>("accelerate"),
       InstanceMethod<&EngineObject::Call<&EngineObject::LayerFactors>>("layerFactors"),
       InstanceMethod<&EngineObject::Call<&EngineObject::CurvatureInverse>>("curvatureInverse"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Inputs>>("inputs"),
       InstanceMethod<&EngineObject::Call<&EngineObject::Parameters>>("parameters"),
       InstanceMethod<&EngineObject::Cancel_>("cancel"),
       InstanceMethod<&EngineObject::Bytes>("bytes"),
       InstanceMethod<&EngineObject::Dispose>("dispose")});
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {
  const Napi::Env env = info.Env();
  Status status;
  try {
    status = Construct(info);
  } catch (const OutOfMemory& error) {
    status = Status::Memory(error.bytes());
  } catch (const std::bad_alloc&) {
    status = Status::Memory(0);
  }
  if (status.code == Code::kFile)
    throw CodedError(env, "GAUSSFLOW_FILE", "cannot be opened, or has changed since it was");
  if (status.value > 0)
    throw CodedError(env, "GAUSSFLOW_MEMORY",
                     "the data set needs " + std::to_string(status.value) + " bytes");
  if (!status.ok())
    throw CodedError(env, "GAUSSFLOW_MEMORY", "there is no memory for another engine");
}

Status EngineObject::Construct(const Napi::CallbackInfo& info) {
  const Environment& environment = *info.Env().GetInstanceData<Environment>();
  Architecture net = arguments::Network(info, 0, "network");
  const size_t n = arguments::Integer(info, 1, "sampleCount", 1, 2147483647);
  const size_t threads = arguments::Integer(info, 4, "threads", 1, ThreadPool::kMaxThreads);
  const size_t slots = arguments::Slots(info, 0, "network", n);
  const SlotShare share = arguments::Share(info, 5, "ranks", slots);
  Ranks ranks;
  if (!info[5].IsNull()) {
    const arguments::ExchangeValue exchange = arguments::Exchange(info, 5, "ranks");
    exchange_ = Napi::Persistent(exchange);
    const bool distributed = arguments::Distributed(info, 5, "ranks", *exchange.Data());
    ranks = Ranks(exchange.Data(), distributed);
  }
  state_ = std::make_shared<State>(std::move(net), static_cast<int>(threads), share, ranks);
  state_->Enter(environment, threads);
  const Status status = arguments::ReserveSamples(info, n, &state_->engine);
  state_->weighted = info[3].As<Napi::Boolean>().Value();
  // Those of a file need only be given where they have weights.
  if (state_->engine.data().from_file() && !state_->weighted)
    state_->filled = state_->engine.sample_count();
  return status;
}

Napi::Value EngineObject::TouchPages(const Napi::CallbackInfo& info) {
  if (state_ == nullptr) throw CodedError(info.Env(), "GAUSSFLOW_STATE", kDisposed);
  if (state_->filled > 0)
    throw CodedError(info.Env(), "GAUSSFLOW_STATE", "the engine has samples already");
  return Napi::Boolean::New(info.Env(), state_->engine.data().TouchPages());
}

Napi::Value EngineObject::Fill(const Napi::CallbackInfo& info) {
  if (state_ == nullptr) throw CodedError(info.Env(), "GAUSSFLOW_STATE", kDisposed);
  if (state_->filled == state_->engine.sample_count())
    throw CodedError(info.Env(), "GAUSSFLOW_STATE", "the engine has all its samples");
  state_->filled += arguments::FillSamples(info, state_->filled, state_->weighted, &state_->engine);
  return info.Env().Undefined();
}

Napi::Value EngineObject::Load(const Napi::CallbackInfo& info) {
  Engine& engine = Ready(info.Env()).engine;
  if (engine.data().from_file())
    throw CodedError(info.Env(), "GAUSSFLOW_STATE", "the engine reads its samples from a file");
  if (!engine.ranks().alone())
    throw CodedError(info.Env(), "GAUSSFLOW_STATE", "the engine shares its samples with ranks");
  const size_t n = engine.sample_count();
  arguments::Integer(info, 0, "count", n, n);
  arguments::FillSamples(info, 0, state_->weighted, &engine);
  engine.SamplesReplaced();
  return info.Env().Undefined();
}

void EngineObject::Finalize(Napi::Env env) {
  if (state_ != nullptr) state_->GiveBytesBack(env);
}

EngineObject::State& EngineObject::Ready(Napi::Env env) {
  if (state_ == nullptr) throw CodedError(env, "GAUSSFLOW_STATE", kDisposed);
  if (state_->filled < state_->engine.sample_count())
    throw CodedError(env, "GAUSSFLOW_STATE", "the engine has not been given all its samples");
  if (state_->busy.load())
    throw CodedError(env, "GAUSSFLOW_BUSY", "the engine is at work: await the call before");
  // The samples are reported with the first call. By then the caller's scaled copy is garbage, and
  // the report makes the collector look for it; reported while it was copied, the copy would stay
  // through the peak of the run.
  state_->ReportBytes(env);
  return *state_;
}

double EngineObject::SolveCost() const { return state_->engine.curvature().SolveFlops(); }

Napi::Value EngineObject::Run(Napi::Env env, double flops, std::function<Status(State&)> compute,
                              PromiseWorker::Finish finish) {
  const std::shared_ptr<State> state = state_;
  return RunCall(
      env, this, state, flops, state->engine.ranks().alone(),
      [state, compute = std::move(compute)] {
        return state->engine.ranks().Agreed([&] { return compute(*state); });
      },
      std::move(finish));
}

void EngineObject::TakeParameters(const Napi::CallbackInfo& info) {
  const size_t count = state_->engine.architecture().parameter_count;
  const double* from = arguments::Doubles(info, 0, "parameters", count);
  Resize(&state_->parameters, count);
  Copy(count, from, state_->parameters.data(), state_->engine.threads());
}

Napi::Value EngineObject::Forward(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  TakeParameters(info);
  auto out = NewDoubles(engine.sample_count() * net.output_size);
  return Run(
      info.Env(), cost::Forward(net, engine.sample_count()),
      [out](State& s) { return s.engine.Forward(s.parameters.data(), s.Flags(), out->data()); },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::Evaluate(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  TakeParameters(info);
  auto loss = std::make_shared<double>(0.0);
  return Run(
      info.Env(), cost::Forward(engine.architecture(), engine.sample_count()),
      [loss](State& s) { return s.engine.Evaluate(s.parameters.data(), s.Flags(), loss.get()); },
      [loss](Napi::Env env) { return Napi::Number::New(env, *loss); });
}

Napi::Value EngineObject::JacobianProduct(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  TakeParameters(info);
  auto v = arguments::RowsCopy(info, 1, "vectors", net.parameter_count);
  const size_t count = v.size() / net.parameter_count;
  auto out = NewDoubles(count * engine.sample_count() * net.output_size);
  return Run(
      info.Env(), static_cast<double>(count) * cost::Passes(net, engine.sample_count()),
      [v = std::move(v), count, out](State& s) {
        return s.engine.Product(s.parameters.data(), count, v.data(), s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::TransposeProduct(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  TakeParameters(info);
  const size_t equations = engine.total_count() * net.output_size;
  auto u = arguments::RowsCopy(info, 1, "vectors", equations);
  const size_t count = u.size() / equations;
  auto out = NewDoubles(count * net.parameter_count);
  return Run(
      info.Env(), static_cast<double>(count) * cost::Passes(net, engine.sample_count()),
      [u = std::move(u), count, out](State& s) {
        return s.engine.TransposeProduct(s.parameters.data(), count, u.data(), s.Flags(),
                                         out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::Jacobian(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const Architecture& net = engine.architecture();
  TakeParameters(info);
  const size_t first = arguments::Integer(info, 1, "first", 0, engine.sample_count() - 1);
  const size_t count = arguments::Integer(info, 2, "count", 1, engine.sample_count() - first);
  auto out = NewDoubles(count * net.output_size * net.parameter_count);
  return Run(
      info.Env(), cost::Passes(net, count),
      [first, count, out](State& s) {
        return s.engine.Jacobian(s.parameters.data(), first, count, s.Flags(), out->data());
      },
      [out](Napi::Env env) { return ToArray(env, *out); });
}

Napi::Value EngineObject::Inputs(const Napi::CallbackInfo& info) {
  const Engine& engine = Ready(info.Env()).engine;
  const size_t first = arguments::Integer(info, 0, "first", 0, engine.sample_count() - 1);
  const size_t count = arguments::Integer(info, 1, "count", 1, engine.sample_count() - first);
  Napi::Float64Array out = NewArray(info.Env(), count * engine.architecture().input_size);
  const Status status = engine.CopyInputs(first, count, out.Data());
  return status.ok() ? out : FailureValue(info.Env(), status);
}

Napi::Value EngineObject::Parameters(const Napi::CallbackInfo& info) {
  return ToArray(info.Env(), Ready(info.Env()).engine.parameters());
}

Napi::Value EngineObject::Cancel_(const Napi::CallbackInfo& info) {
  if (state_ != nullptr) state_->cancel.store(true);
  return info.Env().Undefined();
}

Napi::Value EngineObject::Bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), state_ == nullptr ? 0.0 : state_->ReadableBytes());
}

Napi::Value EngineObject::Dispose(const Napi::CallbackInfo& info) {
  if (state_ != nullptr) {
    state_->Dispose(info.Env());
    state_.reset();
  }
  return info.Env().Undefined();
}

}  // namespace gaussflow
