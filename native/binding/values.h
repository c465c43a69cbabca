// Converts results and refused memory of engine calls to JavaScript values and errors, for
// engine_object*.cc, target.h and vector_functions.cc.
#ifndef GAUSSFLOW_BINDING_VALUES_H_
#define GAUSSFLOW_BINDING_VALUES_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../core/buffer.h"
#include "../core/guarded.h"
#include "napi_setup.h"

namespace gaussflow {

using Doubles = std::vector<double>;

// `count` zeros that a call fills. Throws OutOfMemory.
inline std::shared_ptr<Doubles> NewDoubles(size_t count) {
  return std::make_shared<Doubles>(Zeros<double>(count));
}

// An array of `count` zeros, with the pages of a large one in place. Throws OutOfMemory. Large ones
// are made by JavaScript's constructor, which throws where there is no memory:
// napi_create_arraybuffer ends the process.
inline Napi::Float64Array NewArray(Napi::Env env, size_t count) {
  constexpr size_t kLarge = 1 << 16;
  if (count < kLarge) return Napi::Float64Array::New(env, count);
  try {
    Napi::Float64Array array = env.Global()
                                   .Get("Float64Array")
                                   .As<Napi::Function>()
                                   .New({Napi::Number::New(env, static_cast<double>(count))})
                                   .As<Napi::Float64Array>();
    PopulatePages(array.Data(), count * sizeof(double));
    return array;
  } catch (const Napi::Error&) {
    throw OutOfMemory(count * sizeof(double));
  }
}

inline Napi::Float64Array ToArray(Napi::Env env, const Doubles& values) {
  Napi::Float64Array array = NewArray(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// An error that becomes a GaussflowError of this code.
inline Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_VALUES_H_
