// Functions of the addon that say from sizes alone what an engine will hold and what its calls
// cost, without an engine: for the planner, through src/backend/estimate.ts.
#ifndef GAUSSFLOW_BINDING_ESTIMATE_FUNCTIONS_H_
#define GAUSSFLOW_BINDING_ESTIMATE_FUNCTIONS_H_

#include "napi_setup.h"

namespace gaussflow {

// estimateBytes and estimateCalls, and the number synchronousFlops, as
// src/backend/native/binding.ts declares them.
void DefineEstimateFunctions(Napi::Env env, Napi::Object exports);

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_ESTIMATE_FUNCTIONS_H_
