// Reads what a jet engine is made from, as src/backend/native/binding.ts declares it, for
// jet_engine_object.cc and the estimate of its bytes.
#ifndef GAUSSFLOW_BINDING_JET_ARGUMENTS_H_
#define GAUSSFLOW_BINDING_JET_ARGUMENTS_H_

#include <cstddef>
#include <vector>

#include "../core/architecture.h"
#include "../core/jets/jet_tile.h"
#include "napi_setup.h"

namespace gaussflow::arguments {

// An array of NativeJetTerm, without their points.
std::vector<JetTerm> JetTerms(const Napi::CallbackInfo& info, size_t index, const Architecture& net,
                              size_t unknowns);
// The points of term t of that array. False where the memory cannot be had.
bool LoadJetTerm(const Napi::CallbackInfo& info, size_t index, size_t t, size_t input_size,
                 JetTerm* term);
// The channels of { firsts, seconds, products }.
JetChannels Channels(const Napi::Object& object, const std::string& name);

}  // namespace gaussflow::arguments

#endif  // GAUSSFLOW_BINDING_JET_ARGUMENTS_H_
