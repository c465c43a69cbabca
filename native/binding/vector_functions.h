// Defines the functions of the addon on large vectors, without an engine: addon.cc exports them,
// and src/backend/native/vectors.ts calls them.
#ifndef GAUSSFLOW_BINDING_VECTOR_FUNCTIONS_H_
#define GAUSSFLOW_BINDING_VECTOR_FUNCTIONS_H_

#include "napi_setup.h"

namespace gaussflow {

// dot(a, b, threads) and addScaled(a, factor, b, out | null, threads), synchronous: a pass over p
// numbers takes milliseconds where an iteration takes a second.
void DefineVectorFunctions(Napi::Env env, Napi::Object exports);

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_VECTOR_FUNCTIONS_H_
