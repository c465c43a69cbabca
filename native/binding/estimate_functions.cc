// Implements the addon's estimates of bytes and flops (estimate_functions.h): reads the sizes from
// the arguments and calls the estimates of the core.
#include "estimate_functions.h"

#include "../core/cost.h"
#include "../core/gemm.h"
#include "arguments.h"
#include "engine_object.h"
#include "jet_arguments.h"
#include "jet_engine_object.h"

namespace gaussflow {

namespace {

// Samples of a plan: more than any engine is given, as many as a number of JavaScript counts.
constexpr size_t kMostSamples = 9007199254740991;

// Numbers of a turn.
constexpr size_t kOfTurn = 5;

Formed FormedAt(const Napi::Env& env, const double* turn) {
  const auto whole = [&](double value, double most) {
    if (!(value >= 0.0 && value <= most) ||
        value != static_cast<double>(static_cast<size_t>(value)))
      throw arguments::Error(
          env, "turns",
          "must have a curvature, a precision, a subset, a Hessian product and an average each");
    return static_cast<size_t>(value);
  };
  const size_t route = whole(turn[0], kLastRoute), precision = whole(turn[1], 1.0);
  return {static_cast<Route>(route), static_cast<Precision>(precision),
          whole(turn[2], static_cast<double>(kMostSamples)), whole(turn[3], 1.0) == 1,
          whole(turn[4], 1.0) == 1};
}

Napi::Value BytesValue(Napi::Env env, const Footprint& bytes, size_t threads, size_t block) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("data", bytes.data);
  object.Set("curvature", bytes.curvature);
  object.Set("factor", bytes.factor);
  object.Set("workspaces", bytes.workspaces);
  object.Set("packing", static_cast<double>(threads) * static_cast<double>(PackedBytes()));
  object.Set("blockSamples", static_cast<double>(block));
  return object;
}

Napi::Value EstimateBytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Architecture net = arguments::Network(info, 0, "network");
  Sizes sizes = {net, arguments::Integer(info, 1, "sampleCount", 1, kMostSamples), 1};
  sizes.weighted = arguments::Boolean(info, 2, "weighted");
  sizes.file_width = arguments::Integer(info, 3, "fileWidth", 0, kMostSamples);
  sizes.threads =
      static_cast<int>(arguments::Integer(info, 4, "threads", 1, ThreadPool::kMaxThreads));
  sizes.total = sizes.samples;
  sizes.slots =
      arguments::Share(info, 6, "ranks", arguments::Slots(info, 0, "network", sizes.total));
  sizes.ranked = !info[6].IsNull();
  sizes.holders = arguments::Integer(info, 7, "holders", 0, kMostSamples);
  sizes.samples = sizes.cut().samples();
  std::vector<Formed> turns;
  const size_t numbers =
      info[5].IsTypedArray() ? info[5].As<Napi::TypedArray>().ElementLength() : 0;
  const double* turn = arguments::Doubles(info, 5, "turns", numbers / kOfTurn * kOfTurn);
  for (size_t k = 0; k + kOfTurn <= numbers; k += kOfTurn) turns.push_back(FormedAt(env, turn + k));
  const Footprint bytes = EngineObject::EstimateBytes(sizes, turns);
  if (!turns.empty()) sizes.formed = turns.back();
  return BytesValue(env, bytes, sizes.workers(), CurvatureStore::EstimateOf(sizes).block);
}

Napi::Value EstimateJetBytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Architecture net = arguments::Network(info, 0, "network");
  const size_t unknowns = arguments::Integer(info, 2, "unknownCount", 0, 2147483647);
  const size_t threads = arguments::Integer(info, 3, "threads", 1, ThreadPool::kMaxThreads);
  const std::vector<JetTerm> terms = arguments::JetTerms(info, 1, net, unknowns);
  return BytesValue(env,
                    JetEngineObject::EstimateBytes(net, terms, unknowns, static_cast<int>(threads)),
                    threads, 0);
}

Napi::Value EstimateCalls(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Architecture net = arguments::Network(info, 0, "network");
  Sizes sizes = {net, arguments::Integer(info, 1, "sampleCount", 1, kMostSamples), 1};
  sizes.formed.route = static_cast<Route>(arguments::Integer(info, 2, "curvature", 0, kLastRoute));
  sizes.formed.precision = static_cast<Precision>(arguments::Integer(info, 3, "precision", 0, 1));
  sizes.formed.subset = arguments::Integer(info, 4, "subset", 0, kMostSamples);
  Napi::Object object = Napi::Object::New(env);
  object.Set("forward", cost::Forward(net, sizes.samples));
  object.Set("passes", cost::Passes(net, sizes.samples));
  object.Set("linearize", LinearizeFlops(net, sizes.samples, sizes.formed.route));
  object.Set("solve", CurvatureStore::EstimateOf(sizes).solve_flops);
  object.Set("holdsRows", CurvatureStore::HoldsRows(sizes));
  return object;
}

}  // namespace

void DefineEstimateFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("estimateBytes", Napi::Function::New(env, EstimateBytes, "estimateBytes"));
  exports.Set("estimateJetBytes", Napi::Function::New(env, EstimateJetBytes, "estimateJetBytes"));
  exports.Set("estimateCalls", Napi::Function::New(env, EstimateCalls, "estimateCalls"));
  exports.Set("synchronousFlops", cost::kSynchronousFlops);
  exports.Set("aloneFlops", cost::kAloneFlops);
}

}  // namespace gaussflow
