// Defines the exports of the addon, which Node calls when src/backend/native/load.ts loads it: the
// number of its face, the classes NativeEngine and NativeJetEngine, cancelAll, synchronousUpTo,
// selfTest, the vector functions and the estimates. src/backend/native/binding.ts has their types,
// and scripts/check/native-face.mjs compares the two.
#include <algorithm>
#include <thread>

#include "../core/blas.h"
#include "../core/self_test.h"
#include "engine_object.h"
#include "environment.h"
#include "estimate_functions.h"
#include "jet_engine_object.h"
#include "napi_setup.h"
#include "vector_functions.h"

namespace gaussflow {
namespace {

// FACE of src/backend/native/binding.ts: load.ts refuses an addon that has another.
constexpr double kFace = 5.0;

// Raised by a `process.on("exit")` listener: a call in flight would otherwise hold the exit up
// until it ends.
Napi::Value CancelAll(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<Environment>()->closing->store(true);
  return info.Env().Undefined();
}

// synchronousUpTo(flops): for environments whose event loop nobody else waits for, from now on.
Napi::Value SynchronousUpTo(const Napi::CallbackInfo& info) {
  const double flops = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0.0;
  info.Env().GetInstanceData<Environment>()->synchronous_flops =
      std::max(flops, cost::kSynchronousFlops);
  return info.Env().Undefined();
}

// selfTest(order): can this BLAS be trusted? Quick for order 256, a few hundred milliseconds for
// 1107.
Napi::Value RunSelfTest(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const double order = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 256.0;
  const SelfTest test =
      TestBlas(order >= 1.0 && order <= 4096.0 ? static_cast<size_t>(order) : 256);
  Napi::Object object = Napi::Object::New(env);
  object.Set("ok", test.ok);
  object.Set("message", test.message);
  object.Set("blas", blas::Config());
  object.Set("core", blas::CoreName());
  object.Set("parallel", blas::Parallel());
  object.Set("threads", static_cast<double>(std::thread::hardware_concurrency()));
  return object;
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment());
  exports.Set("face", Napi::Number::New(env, kFace));
  exports.Set("NativeEngine", EngineObject::Define(env));
  exports.Set("NativeJetEngine", JetEngineObject::Define(env));
  exports.Set("cancelAll", Napi::Function::New(env, CancelAll, "cancelAll"));
  exports.Set("synchronousUpTo", Napi::Function::New(env, SynchronousUpTo, "synchronousUpTo"));
  exports.Set("selfTest", Napi::Function::New(env, RunSelfTest, "selfTest"));
  DefineVectorFunctions(env, exports);
  DefineEstimateFunctions(env, exports);
  return exports;
}

}  // namespace
}  // namespace gaussflow

static Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  return gaussflow::Initialize(env, exports);
}

NODE_API_MODULE(gaussflow, Initialize)
