// Implements the addon's functions `dot` and `addScaled` on large vectors (vector_functions.h) by
// core/vectors.h. They run synchronously.
#include "vector_functions.h"

#include <limits>

#include "../core/vectors.h"
#include "arguments.h"
#include "values.h"

namespace gaussflow {

namespace {

int Threads(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<int>(arguments::Integer(info, index, "threads", 1, ThreadPool::kMaxThreads));
}

size_t Length(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsTypedArray())
    throw arguments::Error(info.Env(), name, "must be a Float64Array");
  return info[index].As<Napi::TypedArray>().ElementLength();
}

// make(), or GAUSSFLOW_MEMORY where memory is refused: also for the tasks of a large vector.
template <typename Make>
Napi::Value OrMemoryError(Napi::Env env, size_t n, const Make& make) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    throw CodedError(
        env, "GAUSSFLOW_MEMORY",
        "memory for an operation on vectors of " + std::to_string(n) + " numbers cannot be had");
  }
}

Napi::Value DotOf(const Napi::CallbackInfo& info) {
  const size_t n = Length(info, 0, "a");
  const double* a = arguments::Doubles(info, 0, "a", n);
  const double* b = arguments::Doubles(info, 1, "b", n);
  const int threads = Threads(info, 2);
  return OrMemoryError(info.Env(), n, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), Dot(n, a, b, threads));
  });
}

Napi::Value AddScaledOf(const Napi::CallbackInfo& info) {
  const size_t n = Length(info, 0, "a");
  const double* a = arguments::Doubles(info, 0, "a", n);
  const double factor = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue()
                                           : std::numeric_limits<double>::quiet_NaN();
  const double* b = arguments::Doubles(info, 2, "b", n);
  const int threads = Threads(info, 4);
  if (!info[3].IsNull()) arguments::Doubles(info, 3, "out", n);
  return OrMemoryError(info.Env(), n, [&]() -> Napi::Value {
    Napi::Float64Array out =
        info[3].IsNull() ? NewArray(info.Env(), n) : info[3].As<Napi::Float64Array>();
    AddScaled(n, a, factor, b, out.Data(), threads);
    return out;
  });
}

}  // namespace

void DefineVectorFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("dot", Napi::Function::New(env, DotOf, "dot"));
  exports.Set("addScaled", Napi::Function::New(env, AddScaledOf, "addScaled"));
}

}  // namespace gaussflow
