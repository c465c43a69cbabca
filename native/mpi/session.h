// The use of MPI by this process, of which there is one: the thread of the commands, the transport,
// and the promises that JavaScript waits for. addon.cc makes it and posts the commands of its
// exports.
#ifndef GAUSSFLOW_MPI_SESSION_H_
#define GAUSSFLOW_MPI_SESSION_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "../binding/napi_setup.h"
#include "../core/exchange.h"
#include "command_thread.h"
#include "transport.h"

namespace gaussflow::mpi {

class Session {
 public:
  explicit Session(Napi::Env env);

  Transport& transport() { return transport_; }

  // Part of a command, on its thread: true once it has ended. Throws Failure.
  using Work = std::function<bool()>;
  using Finish = std::function<Napi::Value(Napi::Env)>;
  // The promise of a command. It resolves with what `finish` makes on the JavaScript thread.
  Napi::Promise Start(Napi::Env env, Work work, Finish finish);
  // The same for an exchange of all ranks, which ends in its first call.
  Napi::Promise Exchange(Napi::Env env, std::function<void()> work, Finish finish);
  // A command that the calling thread waits for: 0, or 1 where it failed.
  int Run(const std::function<void()>& work);
  // The same for work of which most is no waiting, and which waits() does not count.
  int Compute(const std::function<void()>& work);
  // How many commands Run has waited for, and the seconds of its callers: of all engines.
  uint64_t waits() const { return waits_; }
  double wait_seconds() const { return 1e-9 * static_cast<double>(wait_nanoseconds_); }
  // The table of calls of native/core/exchange.h for these ranks. It stays for good.
  const ExchangeCalls* MakeCalls(RankTree tree);

  void SetOpen() { open_ = true; }
  // The process ends: with MPI_Finalize, or with MPI_Abort where `exit_code` is not 0, a command
  // has not ended or one has failed. Returns where all ranks end alike.
  void End(int exit_code);
  // Ends all ranks at once.
  void Abort(int exit_code);

 private:
  struct Call;
  struct Table;
  // Runs a part of a command; the sentence of its failure in *failure.
  bool Guarded(const Work& work, std::string* failure);
  void Settle(std::unique_ptr<Call> call, bool done);
  // The calls of matrices in blocks.
  static void AddBlocks(ExchangeCalls* calls);
  int Join(const RankTree& tree, void* values, uint64_t bytes, ExchangeCombine combine, void* user);

  CommandThread thread_;
  Transport transport_;
  // On the thread of the commands: whether MPI has begun, and the failure after which no command
  // is run any more, because requests of the one that failed may still be under way.
  bool open_ = false;
  std::string failure_;
  Napi::ThreadSafeFunction settle_;
  std::atomic<uint64_t> waits_{0};
  std::atomic<uint64_t> wait_nanoseconds_{0};
  int promises_ = 0;  // on the JavaScript thread: those that hold the event loop
};

}  // namespace gaussflow::mpi

#endif  // GAUSSFLOW_MPI_SESSION_H_
