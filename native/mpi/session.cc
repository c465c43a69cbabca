// Implements the use of MPI by this process (session.h).
#include "session.h"

#include <chrono>
#include <new>
#include <utility>
#include <vector>

namespace gaussflow::mpi {

struct Session::Call {
  Napi::Promise::Deferred deferred;
  Finish finish;
  std::string failure;
};

struct Session::Table {
  ExchangeCalls calls;
  Session* session;
  RankTree tree;
};

Session::Session(Napi::Env env)
    : transport_(&thread_),
      settle_(Napi::ThreadSafeFunction::New(env, Napi::Function(), "gaussflow_mpi", 0, 1)) {
  // Only promises that are waited for hold the process.
  settle_.Unref(env);
}

bool Session::Guarded(const Work& work, std::string* failure) {
  if (failure_.empty()) {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      failure_ = "there is no memory for an exchange between the ranks";
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }
  *failure = failure_;
  return true;
}

Napi::Promise Session::Start(Napi::Env env, Work work, Finish finish) {
  // Shared by the work and its end, which are copied as functions.
  auto call = std::make_shared<std::unique_ptr<Call>>(
      new Call{Napi::Promise::Deferred::New(env), std::move(finish), ""});
  const Napi::Promise promise = (*call)->deferred.Promise();
  if (promises_++ == 0) settle_.Ref(env);
  thread_.Post([this, call, work = std::move(work)] { return Guarded(work, &(*call)->failure); },
               [this, call](bool done) { Settle(std::move(*call), done); });
  return promise;
}

Napi::Promise Session::Exchange(Napi::Env env, std::function<void()> work, Finish finish) {
  return Start(
      env,
      [work = std::move(work)] {
        work();
        return true;
      },
      std::move(finish));
}

int Session::Compute(const std::function<void()>& work) {
  std::string failure;
  const Work once = [&work] {
    work();
    return true;
  };
  const bool done = thread_.Run([&] { return Guarded(once, &failure); });
  return done && failure.empty() ? 0 : 1;
}

int Session::Run(const std::function<void()>& work) {
  const auto since = std::chrono::steady_clock::now();
  const int code = Compute(work);
  const std::chrono::nanoseconds waited = std::chrono::steady_clock::now() - since;
  ++waits_;
  wait_nanoseconds_ += static_cast<uint64_t>(waited.count());
  return code;
}

void Session::Settle(std::unique_ptr<Call> call, bool done) {
  if (!done) call->failure = "the process ends";
  Call* raw = call.release();
  const auto settle = [this](Napi::Env env, Napi::Function, Call* settled) {
    const std::unique_ptr<Call> owned(settled);
    if (--promises_ == 0) settle_.Unref(env);
    if (!owned->failure.empty()) {
      owned->deferred.Reject(Napi::Error::New(env, owned->failure).Value());
      return;
    }
    try {
      owned->deferred.Resolve(owned->finish(env));
    } catch (const Napi::Error& error) {
      owned->deferred.Reject(error.Value());
    }
  };
  // Refused where the environment is gone, and with it whoever waits for the promise.
  if (settle_.NonBlockingCall(raw, settle) != napi_ok) delete raw;
}

const ExchangeCalls* Session::MakeCalls(RankTree tree) {
  Table* table = new Table{{}, this, std::move(tree)};
  table->calls.version = kExchangeVersion;
  table->calls.rank = static_cast<uint32_t>(transport_.rank());
  table->calls.ranks = static_cast<uint32_t>(transport_.size());
  table->calls.context = table;
  table->calls.sum = [](void* context, double* values, uint64_t count) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Run([&] { self.session->transport_.Sum(self.tree, values, count); });
  };
  table->calls.first = [](void* context, void* record, uint64_t bytes) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Run([&] { self.session->transport_.First(record, bytes); });
  };
  table->calls.join = [](void* context, void* values, uint64_t bytes, ExchangeCombine combine,
                         void* user) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Join(self.tree, values, bytes, combine, user);
  };
  table->calls.total = [](void* context, double* values, uint64_t count) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Run([&] { self.session->transport_.Total(values, count); });
  };
  if (Scalapack::Built()) AddBlocks(&table->calls);
  return &table->calls;
}

void Session::AddBlocks(ExchangeCalls* calls) {
  calls->mirror = [](void* context, const ExchangeMatrix* matrix, double* local) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Compute([&] { self.session->transport_.Mirror(*matrix, local); });
  };
  calls->factor = [](void* context, const ExchangeMatrix* matrix, double* local, uint64_t* pivot) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Compute([&] { *pivot = self.session->transport_.Factor(*matrix, local); });
  };
  calls->solve = [](void* context, const ExchangeMatrix* matrix, const double* local, double* x) {
    const Table& self = *static_cast<Table*>(context);
    return self.session->Compute([&] { self.session->transport_.Solve(*matrix, local, x); });
  };
}

int Session::Join(const RankTree& tree, void* values, uint64_t bytes, ExchangeCombine combine,
                  void* user) {
  std::vector<double> side;
  try {
    if (tree.contributes && !tree.children.empty()) side.resize((bytes + 7) / 8);
  } catch (const std::bad_alloc&) {
    return 1;
  }
  if (tree.contributes)
    for (const int child : tree.children) {
      if (Run([&] { transport_.ReceiveSide(child, side.data(), bytes); }) != 0) return 1;
      combine(user, values, side.data());
    }
  return Run([&] { transport_.PassJoined(tree, values, bytes); });
}

void Session::End(int exit_code) {
  const bool midst = thread_.pending() > 0;
  thread_.Close([this, exit_code, midst] {
    if (!open_) return;
    if (exit_code != 0 || midst || !failure_.empty())
      transport_.Abort(exit_code == 0 ? 1 : exit_code);
    try {
      transport_.Finalize();
    } catch (const Failure&) {
      transport_.Abort(1);
    }
  });
}

void Session::Abort(int exit_code) {
  thread_.Close([this, exit_code] {
    if (open_) transport_.Abort(exit_code);
  });
}

}  // namespace gaussflow::mpi
