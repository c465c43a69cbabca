// Checks every argument that comes from JavaScript, at the beginning of each exported function
// (engine_object*.cc, vector_functions.cc). node-addon-api's As<>() does not check the element
// type: it would read a Float32Array as doubles, past its end. Every message names the argument,
// the rule and the value received.
#ifndef GAUSSFLOW_BINDING_ARGUMENTS_H_
#define GAUSSFLOW_BINDING_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../core/architecture.h"
#include "../core/engine.h"
#include "napi_setup.h"

namespace gaussflow::arguments {

// A JavaScript error with code GAUSSFLOW_ARGUMENT.
Napi::Error Error(Napi::Env env, const std::string& argument, const std::string& rule);

// A Float64Array of exactly `length` elements on a live, fixed-length buffer; its contents, valid
// until control returns to JavaScript.
const double* Doubles(const Napi::CallbackInfo& info, size_t index, const char* name,
                      size_t length);
// The same where null or undefined is allowed: null then.
const double* OptionalDoubles(const Napi::CallbackInfo& info, size_t index, const char* name,
                              size_t length);
std::vector<double> DoublesCopy(const Napi::CallbackInfo& info, size_t index, const char* name,
                                size_t length);
// One or more rows of `width` elements each, one after the other.
std::vector<double> RowsCopy(const Napi::CallbackInfo& info, size_t index, const char* name,
                             size_t width);
// Ascending whole numbers below `bound` in a Uint32Array, or empty where null is given.
std::vector<uint32_t> OptionalSubset(const Napi::CallbackInfo& info, size_t index, const char* name,
                                     size_t bound);
// What the rows of a sampled curvature are made from, n c numbers each: argument `index` the signs,
// or null and then the seeds and the gradient by the predictions. The pointers are into the copies.
SampledSeeds Sampled(const Napi::CallbackInfo& info, size_t index, const Engine& engine,
                     std::vector<double>* signs, std::vector<double>* rows,
                     std::vector<double>* gradient);
// The Float64Array `field` of an object, of any length: its contents as Doubles has them, or a
// copy.
const double* Field(const Napi::Object& object, const std::string& name, const char* field,
                    size_t* length);
std::vector<double> FieldCopy(const Napi::Object& object, const std::string& name,
                              const char* field);
double Number(const Napi::CallbackInfo& info, size_t index, const char* name, double least);
// A number of at least 0, infinity too.
double Limit(const Napi::CallbackInfo& info, size_t index, const char* name);
size_t Integer(const Napi::CallbackInfo& info, size_t index, const char* name, size_t least,
               size_t most);
bool Boolean(const Napi::CallbackInfo& info, size_t index, const char* name);
// { layers: Float64Array of 5 numbers a layer, outputScale } as
// src/backend/native/binding.ts declares.
Architecture Network(const Napi::CallbackInfo& info, size_t index, const char* name);
// The `slots` of that object: a power of two, at most SlotCut::kMost and at most the samples.
size_t Slots(const Napi::CallbackInfo& info, size_t index, const char* name, size_t samples);
// { first, count, ... }: the share of `slots` that is of this rank, or all of them where null is
// given.
SlotShare Share(const Napi::CallbackInfo& info, size_t index, const char* name, size_t slots);
// The `exchange` of that object: the table of calls of another addon, of the version of this one.
using ExchangeValue = Napi::External<const ExchangeCalls>;
ExchangeValue Exchange(const Napi::CallbackInfo& info, size_t index, const char* name);
// The `distributed` of the object that has this exchange: the Gram matrix is held in blocks by the
// ranks.
bool Distributed(const Napi::CallbackInfo& info, size_t index, const char* name,
                 const ExchangeCalls& calls);

// Makes room for the engine's share of n samples: argument 2 a file that holds them
// { path, offset, size, changed, inode, width, columnOffset, columnScale } or null; 3 whether they
// are weighted.
Status ReserveSamples(const Napi::CallbackInfo& info, size_t n, Engine* engine);
// Gives the engine samples from `first` on, up to all it has room for: argument 0 their number, 1
// the inputs and 2 the targets, null for those of a file, 3 the weights, null where there are none.
// Their number.
size_t FillSamples(const Napi::CallbackInfo& info, size_t first, bool weighted, Engine* engine);

}  // namespace gaussflow::arguments

#endif  // GAUSSFLOW_BINDING_ARGUMENTS_H_
