// The exchanges between the ranks, in terms of MPI. Every function runs on the thread of the
// commands (command_thread.h), Open first; addon.cc posts them. They wait by polling, so that the
// thread obeys the end of the process, and sleeps where another rank takes long.
#ifndef GAUSSFLOW_MPI_TRANSPORT_H_
#define GAUSSFLOW_MPI_TRANSPORT_H_

#include <mpi.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "../core/exchange.h"
#include "command_thread.h"
#include "scalapack.h"

namespace gaussflow::mpi {

// What went wrong, as a sentence: MPI reported an error, or a rank ended before its time.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The ranks with which this rank joins its sums, as src/cluster/rank-tree.ts makes it of the slots.
struct RankTree {
  // Its sums take part. False for a rank that repeats the slots of its parent.
  bool contributes = true;
  // Who receives the sums of this rank and sends it those of all; -1 for the root.
  int parent = -1;
  // Whose sums are added to those of this rank, in this order.
  std::vector<int> children;
  // Who receives the sums of all from this rank, and repeats its slots.
  std::vector<int> copies;
};

// A message between two ranks at any time, beside the exchanges in which all take part.
struct Letter {
  int rank = -1;  // the other one
  std::vector<uint8_t> bytes;
};

class Transport {
 public:
  explicit Transport(const CommandThread* thread) : thread_(thread) {}

  // Begins the use of MPI. Throws Failure, as all functions below.
  void Open();
  int rank() const { return rank_; }
  int size() const { return size_; }
  const std::string& library() const { return library_; }
  const std::string& host() const { return host_; }

  // All ranks take part in these, in the same order. They throw Failure where the thread closes.
  void Sum(const RankTree& tree, double* values, uint64_t count);
  // The steps of a join that is no sum: what the left-hand rank of a node receives from the other,
  // and, once this rank has joined that of all its children, the way up and down the tree.
  void ReceiveSide(int child, void* bytes, uint64_t count);
  void PassJoined(const RankTree& tree, void* bytes, uint64_t count);
  void First(void* record, uint64_t bytes);
  // The sum over all ranks, with the same bits on each.
  void Total(double* values, uint64_t count);
  // The calls of matrices in blocks, in native/core/exchange.h. They wait inside of ScaLAPACK, deaf
  // to the end of the process.
  void Mirror(const ExchangeMatrix& matrix, double* local) {
    scalapack_.Mirror(all_, matrix, local);
  }
  uint64_t Factor(const ExchangeMatrix& matrix, double* local) {
    return scalapack_.Factor(all_, matrix, local);
  }
  void Solve(const ExchangeMatrix& matrix, const double* local, double* x) {
    scalapack_.Solve(all_, matrix, local, x);
    Total(x, matrix.order);
  }
  // The numbers of all ranks, one rank after the other.
  std::vector<double> Gather(const std::vector<double>& values);
  // The bytes of rank 0.
  void Broadcast(std::vector<uint8_t>* bytes);
  void Barrier();
  // Seconds of one of `rounds` sums of `count` ones in a row. Throws where one is wrong. All ranks
  // contribute to the tree.
  double TimeSum(const RankTree& tree, uint64_t count, int rounds);

  // A letter under way: Advance until it returns true.
  class Sending {
   public:
    explicit Sending(Letter letter) : letter_(std::move(letter)), length_(letter_.bytes.size()) {}
    bool Advance(const Transport& transport);

   private:
    Letter letter_;
    uint64_t length_;
    bool begun_ = false;
    std::vector<MPI_Request> requests_;
  };
  class Receiving {
   public:
    bool Advance(const Transport& transport);
    // The letter, once Advance has returned true.
    Letter& letter() { return letter_; }

   private:
    Letter letter_;
    bool begun_ = false;
    std::vector<MPI_Request> requests_;
  };

  // Ends the use of MPI once all ranks have come here.
  void Finalize();
  // Ends all ranks at once.
  [[noreturn]] void Abort(int exit_code);

 private:
  enum class Until { kClosing, kEver };
  void Wait(std::vector<MPI_Request>* requests, Until until = Until::kClosing) const;
  void Wait(MPI_Request request, Until until = Until::kClosing) const;
  // Throws where a rank has ended for a while: it will never take part in what this rank waits for.
  // `seen`: the time of the first call of a wait that has found one, 0 before.
  void CheckEnded(double* seen) const;
  // One message of at most a piece, or several.
  MPI_Request Send(int to, int tag, const void* bytes, uint64_t count) const;
  void Receive(int from, int tag, void* bytes, uint64_t count) const;
  void SendPieces(int to, int tag, const void* bytes, uint64_t count,
                  std::vector<MPI_Request>* requests) const;
  void ReceivePieces(int from, int tag, void* bytes, uint64_t count) const;

  const CommandThread* thread_;
  int rank_ = 0;
  int size_ = 1;
  std::string library_;
  std::string host_;
  MPI_Comm all_ = MPI_COMM_NULL;      // exchanges of all ranks
  MPI_Comm letters_ = MPI_COMM_NULL;  // letters
  MPI_Comm endings_ = MPI_COMM_NULL;  // words of ranks that have ended
  std::vector<double> received_;      // a piece of a sum of another rank
  Scalapack scalapack_;
};

}  // namespace gaussflow::mpi

#endif  // GAUSSFLOW_MPI_TRANSPORT_H_
