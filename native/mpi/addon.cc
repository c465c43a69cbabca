// Defines the exports of the MPI addon, which src/cluster/load.ts loads under mpirun.
// src/cluster/binding.ts has their types.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "session.h"

namespace gaussflow::mpi {
namespace {

// MPI_FACE of src/cluster/binding.ts: load.ts refuses an addon that has another.
constexpr double kFace = 3.0;

// MPI begins once a process and belongs to one environment, that of the main thread.
Session* session = nullptr;

Session& Opened(Napi::Env env) {
  if (session == nullptr) throw Napi::Error::New(env, "open() must be called first");
  return *session;
}

// open(): { rank, size, library, host, scalapack }.
Napi::Value Open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (session != nullptr) throw Napi::Error::New(env, "MPI is open already");
  session = new Session(env);
  // Where no listener of the process's end has called end().
  env.AddCleanupHook([] { session->End(0); });
  const auto open = [] {
    session->transport().Open();
    session->SetOpen();
  };
  return session->Exchange(env, open, [](Napi::Env done) {
    const Transport& transport = session->transport();
    Napi::Object object = Napi::Object::New(done);
    object.Set("rank", transport.rank());
    object.Set("size", transport.size());
    object.Set("library", transport.library());
    object.Set("host", transport.host());
    object.Set("scalapack", Scalapack::Built());
    return object;
  });
}

RankTree TreeOf(const Napi::Object& object) {
  RankTree tree;
  tree.contributes = object.Get("contributes").As<Napi::Boolean>().Value();
  tree.parent = object.Get("parent").As<Napi::Number>().Int32Value();
  for (const auto& [name, list] :
       {std::pair{"children", &tree.children}, std::pair{"copies", &tree.copies}}) {
    const Napi::Int32Array ranks = object.Get(name).As<Napi::Int32Array>();
    list->assign(ranks.Data(), ranks.Data() + ranks.ElementLength());
  }
  return tree;
}

// exchange(tree): what an engine joins its sums with.
Napi::Value MakeExchange(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ExchangeCalls* calls = Opened(env).MakeCalls(TreeOf(info[0].As<Napi::Object>()));
  const auto external = Napi::External<ExchangeCalls>::New(env, const_cast<ExchangeCalls*>(calls));
  const napi_type_tag tag{kExchangeTag[0], kExchangeTag[1]};
  external.TypeTag(&tag);
  return external;
}

Napi::Value Undefined(Napi::Env env) { return env.Undefined(); }

std::vector<double> NumbersOf(const Napi::Value& value) {
  const Napi::Float64Array numbers = value.As<Napi::Float64Array>();
  return {numbers.Data(), numbers.Data() + numbers.ElementLength()};
}

Napi::Value ArrayOf(Napi::Env env, const std::vector<double>& numbers) {
  Napi::Float64Array array = Napi::Float64Array::New(env, numbers.size());
  std::copy(numbers.begin(), numbers.end(), array.Data());
  return array;
}

// gather(values): the numbers of all ranks, one rank after the other.
Napi::Value Gather(const Napi::CallbackInfo& info) {
  auto values = std::make_shared<std::vector<double>>(NumbersOf(info[0]));
  const auto gather = [values] { *values = session->transport().Gather(*values); };
  return Opened(info.Env()).Exchange(info.Env(), gather, [values](Napi::Env env) {
    return ArrayOf(env, *values);
  });
}

std::vector<uint8_t> BytesOf(const Napi::Value& value) {
  const Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.Data() + bytes.ElementLength()};
}

Napi::Value ArrayOf(Napi::Env env, const std::vector<uint8_t>& bytes) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
  std::copy(bytes.begin(), bytes.end(), array.Data());
  return array;
}

// broadcast(bytes): those of rank 0.
Napi::Value Broadcast(const Napi::CallbackInfo& info) {
  auto bytes = std::make_shared<std::vector<uint8_t>>(BytesOf(info[0]));
  const auto broadcast = [bytes] { session->transport().Broadcast(bytes.get()); };
  return Opened(info.Env()).Exchange(info.Env(), broadcast, [bytes](Napi::Env env) {
    return ArrayOf(env, *bytes);
  });
}

Napi::Value Barrier(const Napi::CallbackInfo& info) {
  const auto barrier = [] { session->transport().Barrier(); };
  return Opened(info.Env()).Exchange(info.Env(), barrier, Undefined);
}

// sum(tree, values): those of all ranks, joined along the tree.
Napi::Value Sum(const Napi::CallbackInfo& info) {
  const RankTree tree = TreeOf(info[0].As<Napi::Object>());
  auto values = std::make_shared<std::vector<double>>(NumbersOf(info[1]));
  const auto sum = [=] { session->transport().Sum(tree, values->data(), values->size()); };
  return Opened(info.Env()).Exchange(info.Env(), sum, [values](Napi::Env env) {
    return ArrayOf(env, *values);
  });
}

// timeSum(tree, count, rounds): seconds of one of `rounds` sums in a row.
Napi::Value TimeSum(const Napi::CallbackInfo& info) {
  const RankTree tree = TreeOf(info[0].As<Napi::Object>());
  const uint64_t count = info[1].As<Napi::Number>().Int64Value();
  const int rounds = info[2].As<Napi::Number>().Int32Value();
  auto seconds = std::make_shared<double>(0.0);
  const auto time = [=] { *seconds = session->transport().TimeSum(tree, count, rounds); };
  return Opened(info.Env()).Exchange(info.Env(), time, [seconds](Napi::Env env) {
    return Napi::Number::New(env, *seconds);
  });
}

// waits(): { count, seconds } of the exchanges that the engines of this process have waited for.
Napi::Value Waits(const Napi::CallbackInfo& info) {
  const Session& opened = Opened(info.Env());
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("count", static_cast<double>(opened.waits()));
  object.Set("seconds", opened.wait_seconds());
  return object;
}

// send(rank, bytes): a letter, which `receive` of that rank resolves with.
Napi::Value Send(const Napi::CallbackInfo& info) {
  auto sending = std::make_shared<Transport::Sending>(
      Letter{info[0].As<Napi::Number>().Int32Value(), BytesOf(info[1])});
  const auto advance = [sending] { return sending->Advance(session->transport()); };
  return Opened(info.Env()).Start(info.Env(), advance, Undefined);
}

// receive(): the next letter to this rank, { rank, bytes }.
Napi::Value Receive(const Napi::CallbackInfo& info) {
  auto receiving = std::make_shared<Transport::Receiving>();
  const auto advance = [receiving] { return receiving->Advance(session->transport()); };
  return Opened(info.Env()).Start(info.Env(), advance, [receiving](Napi::Env env) {
    const Letter& letter = receiving->letter();
    Napi::Object object = Napi::Object::New(env);
    object.Set("rank", letter.rank);
    object.Set("bytes", ArrayOf(env, letter.bytes));
    return object;
  });
}

int ExitCode(const Napi::CallbackInfo& info) {
  return info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 0;
}

// end(exitCode): the process ends with this code; all ranks end at once where it is not 0.
Napi::Value End(const Napi::CallbackInfo& info) {
  if (session != nullptr) session->End(ExitCode(info));
  return info.Env().Undefined();
}

// abort(exitCode): ends all ranks at once.
Napi::Value Abort(const Napi::CallbackInfo& info) {
  Opened(info.Env()).Abort(ExitCode(info));
  return info.Env().Undefined();
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("face", Napi::Number::New(env, kFace));
  const std::pair<const char*, Napi::Value (*)(const Napi::CallbackInfo&)> functions[] = {
      {"open", Open},       {"exchange", MakeExchange},
      {"gather", Gather},   {"broadcast", Broadcast},
      {"barrier", Barrier}, {"sum", Sum},
      {"timeSum", TimeSum}, {"send", Send},
      {"receive", Receive}, {"end", End},
      {"abort", Abort},     {"waits", Waits},
  };
  for (const auto& [name, function] : functions)
    exports.Set(name, Napi::Function::New(env, function, name));
  return exports;
}

}  // namespace
}  // namespace gaussflow::mpi

static Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  return gaussflow::mpi::Initialize(env, exports);
}

NODE_API_MODULE(gaussflow_mpi, Initialize)
