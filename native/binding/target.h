// Target holds the array to which a call writes an answer of p numbers, the caller's or a new one.
// engine_object.cc takes it from the arguments of linearize, solve and accelerate, and fills it at
// the end of the call.
#ifndef GAUSSFLOW_BINDING_TARGET_H_
#define GAUSSFLOW_BINDING_TARGET_H_

#include <memory>

#include "../core/vectors.h"
#include "arguments.h"
#include "values.h"

namespace gaussflow {

// The array that the caller gave, or a fresh one where it gave null. The engine never computes in
// it: JavaScript may detach the array while a call runs, and then the answer goes to a fresh one.
class Target {
 public:
  Target(const Napi::CallbackInfo& info, size_t index, const char* name, size_t count) {
    if (info[index].IsNull() || info[index].IsUndefined()) return;
    arguments::Doubles(info, index, name, count);
    given_ = std::make_shared<Given>(Napi::Persistent(info[index].As<Napi::Float64Array>()));
  }

  Napi::Float64Array Fill(Napi::Env env, size_t count, const double* values, int threads) const {
    Napi::Float64Array array;
    if (given_ != nullptr) array = given_->Value();
    if (given_ == nullptr || array.ElementLength() != count) array = NewArray(env, count);
    Copy(count, values, array.Data(), threads);
    return array;
  }

 private:
  using Given = Napi::Reference<Napi::Float64Array>;
  std::shared_ptr<Given> given_;  // shared: std::function copies what it holds
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_TARGET_H_
