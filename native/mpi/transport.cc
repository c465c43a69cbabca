// Implements the exchanges between the ranks (transport.h).
#include "transport.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace gaussflow::mpi {
namespace {

// Large messages go in pieces: MPI counts with 32 bits, and the pieces of a sum are under way up
// and down the tree at the same time.
constexpr uint64_t kPieceNumbers = uint64_t{1} << 17;
constexpr uint64_t kPieceBytes = kPieceNumbers * sizeof(double);
// Pieces of a sum that go up before the first comes down.
constexpr uint64_t kAhead = 3;

enum Tag { kUp = 1, kDown, kLength, kBody, kEnded };

void Check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Failure(std::string(what) + " failed: " + std::string(text, length));
}

struct Piece {
  uint64_t first;
  int count;
};

Piece PieceOf(uint64_t count, uint64_t number, uint64_t most) {
  const uint64_t first = number * most;
  return {first, static_cast<int>(std::min(most, count - first))};
}

uint64_t PieceCount(uint64_t count, uint64_t most) { return (count + most - 1) / most; }

// "Open MPI v4.1.4" of a long line, "MPICH Version: 4.0.2" of several.
std::string NameOf(std::string version) {
  version = version.substr(0, version.find_first_of("\n,"));
  std::replace(version.begin(), version.end(), '\t', ' ');
  return version;
}

bool AllArrived(std::vector<MPI_Request>* requests) {
  int arrived = 0;
  Check(MPI_Testall(static_cast<int>(requests->size()), requests->data(), &arrived,
                    MPI_STATUSES_IGNORE),
        "MPI_Testall");
  return arrived != 0;
}

}  // namespace

void Transport::Open() {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized != 0) throw Failure("another library of this process already uses MPI");
  int provided = MPI_THREAD_SINGLE;
  Check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  char text[std::max(MPI_MAX_LIBRARY_VERSION_STRING, MPI_MAX_PROCESSOR_NAME)];
  int length = 0;
  MPI_Get_library_version(text, &length);
  library_ = NameOf(std::string(text, length));
  MPI_Get_processor_name(text, &length);
  host_.assign(text, length);
  if (provided < MPI_THREAD_SERIALIZED)
    throw Failure(library_ +
                  " does not support MPI_THREAD_SERIALIZED, which a process with threads needs");
  for (MPI_Comm* one : {&all_, &letters_, &endings_}) {
    Check(MPI_Comm_dup(MPI_COMM_WORLD, one), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(*one, MPI_ERRORS_RETURN);
  }
  MPI_Comm_rank(all_, &rank_);
  MPI_Comm_size(all_, &size_);
}

void Transport::Wait(std::vector<MPI_Request>* requests, Until until) const {
  constexpr int kRoundsOfEnded = 1000;
  double ended_seen = 0.0;
  for (int round = 0; !AllArrived(requests); ++round) {
    if (until == Until::kClosing) {
      if (thread_->closing()) throw Failure("the process ends");
      if (round % kRoundsOfEnded == kRoundsOfEnded - 1) CheckEnded(&ended_seen);
    }
    const int pause = PollMicroseconds(round);
    if (pause == 0) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(pause));
    }
  }
  requests->clear();
}

void Transport::Wait(MPI_Request request, Until until) const {
  std::vector<MPI_Request> one{request};
  Wait(&one, until);
}

void Transport::CheckEnded(double* seen) const {
  // What the rank sent before its end may still be under way.
  constexpr double kGraceSeconds = 2.0;
  int there = 0;
  MPI_Status status;
  Check(MPI_Iprobe(MPI_ANY_SOURCE, kEnded, endings_, &there, &status), "MPI_Iprobe");
  if (there == 0) return;
  const double now = MPI_Wtime();
  if (*seen == 0.0) *seen = now;
  if (now - *seen < kGraceSeconds) return;
  throw Failure("rank " + std::to_string(status.MPI_SOURCE) +
                " has ended, and this rank waits for it: all ranks must make the same calls");
}

MPI_Request Transport::Send(int to, int tag, const void* bytes, uint64_t count) const {
  MPI_Request request;
  Check(MPI_Isend(bytes, static_cast<int>(count), MPI_BYTE, to, tag, all_, &request), "MPI_Isend");
  return request;
}

void Transport::Receive(int from, int tag, void* bytes, uint64_t count) const {
  MPI_Request request;
  Check(MPI_Irecv(bytes, static_cast<int>(count), MPI_BYTE, from, tag, all_, &request),
        "MPI_Irecv");
  Wait(request);
}

void Transport::SendPieces(int to, int tag, const void* bytes, uint64_t count,
                           std::vector<MPI_Request>* requests) const {
  for (uint64_t k = 0; k < PieceCount(count, kPieceBytes); ++k) {
    const Piece piece = PieceOf(count, k, kPieceBytes);
    requests->push_back(
        Send(to, tag, static_cast<const uint8_t*>(bytes) + piece.first, piece.count));
  }
}

void Transport::ReceivePieces(int from, int tag, void* bytes, uint64_t count) const {
  for (uint64_t k = 0; k < PieceCount(count, kPieceBytes); ++k) {
    const Piece piece = PieceOf(count, k, kPieceBytes);
    Receive(from, tag, static_cast<uint8_t*>(bytes) + piece.first, piece.count);
  }
}

void Transport::Sum(const RankTree& tree, double* values, uint64_t count) {
  received_.resize(std::min(count, kPieceNumbers));
  const uint64_t pieces = PieceCount(count, kPieceNumbers);
  std::vector<MPI_Request> up(pieces, MPI_REQUEST_NULL);
  std::vector<MPI_Request> down;
  for (uint64_t k = 0; k < pieces + kAhead; ++k) {
    if (k < pieces && tree.contributes) {
      const Piece piece = PieceOf(count, k, kPieceNumbers);
      double* sum = values + piece.first;
      for (const int child : tree.children) {
        Receive(child, kUp, received_.data(), piece.count * sizeof(double));
        for (int j = 0; j < piece.count; ++j) sum[j] = sum[j] + received_[j];
      }
      if (tree.parent >= 0) up[k] = Send(tree.parent, kUp, sum, piece.count * sizeof(double));
    }
    if (k < kAhead || k - kAhead >= pieces) continue;
    const Piece piece = PieceOf(count, k - kAhead, kPieceNumbers);
    double* joined = values + piece.first;
    const uint64_t bytes = piece.count * sizeof(double);
    if (tree.parent >= 0) {
      Wait(up[k - kAhead]);
      Receive(tree.parent, kDown, joined, bytes);
    }
    for (auto child = tree.children.rbegin(); child != tree.children.rend(); ++child)
      down.push_back(Send(*child, kDown, joined, bytes));
    for (const int copy : tree.copies) down.push_back(Send(copy, kDown, joined, bytes));
  }
  Wait(&down);
}

void Transport::ReceiveSide(int child, void* bytes, uint64_t count) {
  ReceivePieces(child, kUp, bytes, count);
}

void Transport::PassJoined(const RankTree& tree, void* bytes, uint64_t count) {
  std::vector<MPI_Request> requests;
  if (tree.parent >= 0) {
    if (tree.contributes) SendPieces(tree.parent, kUp, bytes, count, &requests);
    Wait(&requests);
    ReceivePieces(tree.parent, kDown, bytes, count);
  }
  for (auto child = tree.children.rbegin(); child != tree.children.rend(); ++child)
    SendPieces(*child, kDown, bytes, count, &requests);
  for (const int copy : tree.copies) SendPieces(copy, kDown, bytes, count, &requests);
  Wait(&requests);
}

void Transport::First(void* record, uint64_t bytes) {
  uint8_t* own = static_cast<uint8_t*>(record);
  const int length = static_cast<int>(bytes);
  std::vector<uint8_t> records(bytes * size_);
  MPI_Request request;
  Check(MPI_Iallgather(own, length, MPI_BYTE, records.data(), length, MPI_BYTE, all_, &request),
        "MPI_Iallgather");
  Wait(request);
  std::fill(own, own + bytes, uint8_t{0});
  for (auto one = records.begin(); one != records.end(); one += length) {
    if (*one == 0) continue;
    std::copy(one, one + length, own);
    return;
  }
}

void Transport::Total(double* values, uint64_t count) {
  received_.resize(std::max<size_t>(received_.size(), std::min(count, kPieceNumbers)));
  for (uint64_t k = 0; k < PieceCount(count, kPieceNumbers); ++k) {
    const Piece piece = PieceOf(count, k, kPieceNumbers);
    double* sum = values + piece.first;
    // By way of rank 0: MPI_Allreduce may give other bits to other ranks.
    MPI_Request request;
    Check(MPI_Ireduce(sum, received_.data(), piece.count, MPI_DOUBLE, MPI_SUM, 0, all_, &request),
          "MPI_Ireduce");
    Wait(request);
    if (rank_ == 0) std::copy_n(received_.data(), piece.count, sum);
    Check(MPI_Ibcast(sum, piece.count, MPI_DOUBLE, 0, all_, &request), "MPI_Ibcast");
    Wait(request);
  }
}

std::vector<double> Transport::Gather(const std::vector<double>& values) {
  const uint64_t count = values.size();
  std::vector<uint64_t> counts(size_);
  MPI_Request request;
  Check(MPI_Iallgather(&count, 1, MPI_UINT64_T, counts.data(), 1, MPI_UINT64_T, all_, &request),
        "MPI_Iallgather");
  Wait(request);
  for (int other = 0; other < size_; ++other)
    if (counts[other] != counts[0])
      throw Failure("gather needs as many numbers of every rank: rank 0 gives " +
                    std::to_string(counts[0]) + ", rank " + std::to_string(other) + " " +
                    std::to_string(counts[other]));
  std::vector<double> gathered(count * size_);
  std::vector<double> pieces(std::min(count, kPieceNumbers) * size_);
  for (uint64_t k = 0; k < PieceCount(count, kPieceNumbers); ++k) {
    const Piece piece = PieceOf(count, k, kPieceNumbers);
    Check(MPI_Iallgather(values.data() + piece.first, piece.count, MPI_DOUBLE, pieces.data(),
                         piece.count, MPI_DOUBLE, all_, &request),
          "MPI_Iallgather");
    Wait(request);
    for (int other = 0; other < size_; ++other)
      std::copy_n(pieces.data() + static_cast<uint64_t>(other) * piece.count, piece.count,
                  gathered.data() + other * count + piece.first);
  }
  return gathered;
}

void Transport::Broadcast(std::vector<uint8_t>* bytes) {
  uint64_t length = bytes->size();
  MPI_Request request;
  Check(MPI_Ibcast(&length, 1, MPI_UINT64_T, 0, all_, &request), "MPI_Ibcast");
  Wait(request);
  bytes->resize(length);
  for (uint64_t k = 0; k < PieceCount(length, kPieceBytes); ++k) {
    const Piece piece = PieceOf(length, k, kPieceBytes);
    Check(MPI_Ibcast(bytes->data() + piece.first, piece.count, MPI_BYTE, 0, all_, &request),
          "MPI_Ibcast");
    Wait(request);
  }
}

void Transport::Barrier() {
  MPI_Request request;
  Check(MPI_Ibarrier(all_, &request), "MPI_Ibarrier");
  Wait(request);
}

double Transport::TimeSum(const RankTree& tree, uint64_t count, int rounds) {
  double seconds = 0.0;
  // One barrier: a sum waits for every rank by itself, so that those in a row show what one takes.
  Barrier();
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> values(count, 1.0);
    const double begin = MPI_Wtime();
    Sum(tree, values.data(), count);
    seconds += MPI_Wtime() - begin;
    for (const double value : values)
      if (value != size_)
        throw Failure("a sum of ones over " + std::to_string(size_) + " ranks gave " +
                      std::to_string(value));
  }
  return seconds / rounds;
}

bool Transport::Sending::Advance(const Transport& transport) {
  if (!begun_) {
    begun_ = true;
    requests_.resize(1 + PieceCount(length_, kPieceBytes));
    const MPI_Comm letters = transport.letters_;
    Check(MPI_Isend(&length_, 1, MPI_UINT64_T, letter_.rank, kLength, letters, requests_.data()),
          "MPI_Isend");
    for (uint64_t k = 0; k + 1 < requests_.size(); ++k) {
      const Piece piece = PieceOf(length_, k, kPieceBytes);
      Check(MPI_Isend(letter_.bytes.data() + piece.first, piece.count, MPI_BYTE, letter_.rank,
                      kBody, letters, &requests_[k + 1]),
            "MPI_Isend");
    }
  }
  return AllArrived(&requests_);
}

bool Transport::Receiving::Advance(const Transport& transport) {
  const MPI_Comm letters = transport.letters_;
  if (!begun_) {
    int there = 0;
    MPI_Status status;
    Check(MPI_Iprobe(MPI_ANY_SOURCE, kLength, letters, &there, &status), "MPI_Iprobe");
    if (there == 0) return false;
    begun_ = true;
    letter_.rank = status.MPI_SOURCE;
    uint64_t length = 0;
    Check(MPI_Recv(&length, 1, MPI_UINT64_T, letter_.rank, kLength, letters, MPI_STATUS_IGNORE),
          "MPI_Recv");
    letter_.bytes.resize(length);
    requests_.resize(PieceCount(length, kPieceBytes));
    for (uint64_t k = 0; k < requests_.size(); ++k) {
      const Piece piece = PieceOf(length, k, kPieceBytes);
      Check(MPI_Irecv(letter_.bytes.data() + piece.first, piece.count, MPI_BYTE, letter_.rank,
                      kBody, letters, &requests_[k]),
            "MPI_Irecv");
    }
  }
  return AllArrived(&requests_);
}

void Transport::Finalize() {
  // Every rank tells rank 0 that it has ended, and rank 0 all others: whoever waits for one of them
  // in an exchange learns that it waits in vain (CheckEnded).
  const char nothing = 0;
  std::vector<MPI_Request> requests;
  const auto tell = [&](int other) {
    requests.emplace_back();
    Check(MPI_Isend(&nothing, 1, MPI_CHAR, other, kEnded, endings_, &requests.back()), "MPI_Isend");
  };
  if (rank_ != 0) tell(0);
  for (int other = 1; rank_ == 0 && other < size_; ++other) tell(other);
  requests.emplace_back();
  Check(MPI_Ibarrier(endings_, &requests.back()), "MPI_Ibarrier");
  Wait(&requests, Until::kEver);
  char word = 0;
  for (int k = 0; k < (rank_ == 0 ? size_ - 1 : 1) && size_ > 1; ++k)
    Check(MPI_Recv(&word, 1, MPI_CHAR, MPI_ANY_SOURCE, kEnded, endings_, MPI_STATUS_IGNORE),
          "MPI_Recv");
  MPI_Finalize();
}

void Transport::Abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace gaussflow::mpi
