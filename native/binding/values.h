// What engine calls hand to JavaScript.
#ifndef GAUSSFLOW_BINDING_VALUES_H_
#define GAUSSFLOW_BINDING_VALUES_H_

#include <algorithm>
#include <string>
#include <vector>

#include "../core/buffer.h"
#include "napi_setup.h"

namespace gaussflow {

using Doubles = std::vector<double>;

// A fresh array, with the pages of a large one in place.
inline Napi::Float64Array NewArray(Napi::Env env, size_t count) {
  Napi::Float64Array array = Napi::Float64Array::New(env, count);
  PopulatePages(array.Data(), count * sizeof(double));
  return array;
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
