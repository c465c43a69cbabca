// Ranks that are threads of one process, with the exchange of exchange.h between them: what the MPI
// addon does between processes, by the same tree. A rank that makes another call than the others
// ends the program, which would hang or mix up numbers between processes.
#ifndef GAUSSFLOW_TEST_THREAD_RANKS_H_
#define GAUSSFLOW_TEST_THREAD_RANKS_H_

#include <barrier>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "blas.h"
#include "check.h"
#include "ranks.h"
#include "slots.h"

namespace gaussflow::test {

class ThreadRanks {
 public:
  ThreadRanks(size_t ranks, size_t slots)
      : slots_(slots),
        calls_(ranks),
        members_(ranks),
        leads_(ranks),
        barrier_(static_cast<ptrdiff_t>(ranks)) {
    shares_.resize(std::min(ranks, slots));
    Cut({0, slots, 0, shares_.size()});
    for (size_t r = 0; r < ranks; ++r) {
      members_[r] = {this, r, nullptr, nullptr, 0, {}};
      calls_[r] = {kExchangeVersion,
                   static_cast<uint32_t>(r),
                   static_cast<uint32_t>(ranks),
                   &members_[r],
                   Sum,
                   First,
                   Join,
                   Total,
                   Mirror,
                   Factor,
                   Solve};
    }
  }

  size_t count() const { return calls_.size(); }
  // Ranks beyond the slots repeat the part of another.
  const SlotShare& share(size_t rank) const { return shares_[rank % shares_.size()]; }
  Ranks ranks(size_t rank, bool distributed = false) const {
    return Ranks(&calls_[rank], distributed);
  }
  // From its call number `at` on, every call of every rank fails.
  void BreakAt(size_t at) { breaks_ = at; }

  // body(rank) on a thread a rank.
  void Run(const std::function<void(size_t rank)>& body) {
    std::vector<std::thread> threads;
    for (size_t r = 0; r < count(); ++r) threads.emplace_back([&, r] { body(r); });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  struct Node {
    size_t slot, slots, rank, ranks;
    Node Left() const { return {slot, slots / 2, rank, (ranks + 1) / 2}; }
    Node Right() const {
      return {slot + slots / 2, slots / 2, rank + (ranks + 1) / 2, ranks - (ranks + 1) / 2};
    }
  };
  struct Call {
    char kind = 0;
    uint64_t size = 0;
    bool operator==(const Call& other) const { return kind == other.kind && size == other.size; }
  };
  struct Member {
    ThreadRanks* all;
    size_t rank;
    void* values;
    double* local;  // of a matrix in blocks
    size_t calls;
    Call call;
  };

  void Cut(const Node& node) {
    if (node.ranks == 1) {
      shares_[node.rank] = {slots_, node.slot, node.slots};
      return;
    }
    Cut(node.Left());
    Cut(node.Right());
  }

  // Waits until all ranks have made this call; false where the exchange is broken.
  bool Meet(Member* member, Call call, void* values) {
    member->call = call;
    member->values = values;
    const bool broken = member->calls++ >= breaks_;
    barrier_.arrive_and_wait();
    if (!(members_[0].call == call)) {
      std::printf("rank %zu calls %c of %zu, rank 0 %c of %zu\n", member->rank, call.kind,
                  static_cast<size_t>(call.size), members_[0].call.kind,
                  static_cast<size_t>(members_[0].call.size));
      std::abort();
    }
    barrier_.arrive_and_wait();
    return !broken;
  }

  // The root's values are those of rank 0 then.
  void JoinNode(size_t rank, const Node& node, ExchangeCombine combine, void* user) {
    if (node.ranks == 1) return;
    JoinNode(rank, node.Left(), combine, user);
    JoinNode(rank, node.Right(), combine, user);
    if (rank == node.rank) combine(user, members_[rank].values, members_[node.Right().rank].values);
    barrier_.arrive_and_wait();
  }

  static int JoinBytes(Member* member, Call call, void* values, ExchangeCombine combine,
                       void* user) {
    ThreadRanks* all = member->all;
    if (!all->Meet(member, call, values)) return 1;
    all->JoinNode(member->rank, {0, all->slots_, 0, all->shares_.size()}, combine, user);
    if (member->rank > 0) std::memcpy(values, all->members_[0].values, call.size);
    all->barrier_.arrive_and_wait();
    return 0;
  }

  static int Join(void* context, void* values, uint64_t bytes, ExchangeCombine combine,
                  void* user) {
    return JoinBytes(static_cast<Member*>(context), {'j', bytes}, values, combine, user);
  }

  static int Sum(void* context, double* values, uint64_t count) {
    const auto add = [](void* user, void* left, void* right) {
      for (uint64_t j = 0; j < *static_cast<const uint64_t*>(user); ++j)
        static_cast<double*>(left)[j] += static_cast<const double*>(right)[j];
    };
    return JoinBytes(static_cast<Member*>(context), {'s', count * sizeof(double)}, values, add,
                     &count);
  }

  static int First(void* context, void* record, uint64_t bytes) {
    Member* member = static_cast<Member*>(context);
    ThreadRanks* all = member->all;
    if (!all->Meet(member, {'f', bytes}, record)) return 1;
    char found[kMostOfRecord] = {};
    for (const Member& other : all->members_) {
      const char* bytes_of = static_cast<const char*>(other.values);
      if (bytes_of[0] == 0) continue;
      std::memcpy(found, bytes_of, bytes);
      break;
    }
    all->barrier_.arrive_and_wait();
    std::memcpy(record, found, bytes);
    return 0;
  }

  static int Total(void* context, double* values, uint64_t count) {
    Member* member = static_cast<Member*>(context);
    ThreadRanks* all = member->all;
    if (!all->Meet(member, {'t', count}, values)) return 1;
    std::vector<double> sum(count, 0.0);
    for (const Member& other : all->members_)
      for (uint64_t j = 0; j < count; ++j) sum[j] += static_cast<const double*>(other.values)[j];
    all->barrier_.arrive_and_wait();
    std::copy(sum.begin(), sum.end(), values);
    return 0;
  }

  // Entry (i, j) of a matrix in blocks, by the rule of ExchangeMatrix.
  double& Entry(const ExchangeMatrix& m, uint64_t i, uint64_t j) {
    const uint64_t row = i / m.block, column = j / m.block;
    const uint64_t rank = row % m.grid_rows * m.grid_columns + column % m.grid_columns;
    const uint64_t lead = leads_[rank];
    return members_[rank].local[(column / m.grid_columns * m.block + j % m.block) * lead +
                                row / m.grid_rows * m.block + i % m.block];
  }

  static int Mirror(void* context, const ExchangeMatrix* matrix, double* local) {
    Member* member = static_cast<Member*>(context);
    ThreadRanks* all = member->all;
    member->local = local;
    all->leads_[member->rank] = matrix->lead;
    if (!all->Meet(member, {'m', matrix->order}, nullptr)) return 1;
    const uint64_t n = matrix->order, block = matrix->block;
    for (uint64_t j = 0; j < n && member->rank == 0; ++j)
      for (uint64_t i = (j / block + 1) * block; i < n; ++i)
        all->Entry(*matrix, i, j) = all->Entry(*matrix, j, i);
    all->barrier_.arrive_and_wait();
    return 0;
  }

  // Rank 0 factors for all, by LAPACK.
  static int Factor(void* context, const ExchangeMatrix* matrix, double* local, uint64_t* pivot) {
    Member* member = static_cast<Member*>(context);
    ThreadRanks* all = member->all;
    CHECK(member->local == local, "a matrix in another place");
    if (!all->Meet(member, {'x', matrix->order}, pivot)) return 1;
    const uint64_t n = matrix->order;
    if (member->rank == 0) {
      std::vector<double> whole(n * n);
      for (uint64_t j = 0; j < n; ++j)
        for (uint64_t i = j; i < n; ++i) whole[j * n + i] = all->Entry(*matrix, i, j);
      const int bad = blas::Potrf(n, whole.data(), n);
      for (const Member& other : all->members_) *static_cast<uint64_t*>(other.values) = bad;
      for (uint64_t j = 0; j < n; ++j)
        for (uint64_t i = j; i < n; ++i) all->Entry(*matrix, i, j) = whole[j * n + i];
    }
    all->barrier_.arrive_and_wait();
    return 0;
  }

  static int Solve(void* context, const ExchangeMatrix* matrix, const double* local, double* x) {
    Member* member = static_cast<Member*>(context);
    ThreadRanks* all = member->all;
    CHECK(member->local == local, "a factor in another place");
    if (!all->Meet(member, {'y', matrix->order}, x)) return 1;
    const uint64_t n = matrix->order;
    if (member->rank == 0) {
      std::vector<double> whole(n * n);
      for (uint64_t j = 0; j < n; ++j)
        for (uint64_t i = j; i < n; ++i) whole[j * n + i] = all->Entry(*matrix, i, j);
      for (const bool transpose : {false, true}) blas::TrsvLower(transpose, n, whole.data(), n, x);
    }
    all->barrier_.arrive_and_wait();
    if (member->rank > 0) std::memcpy(x, all->members_[0].values, n * sizeof(double));
    all->barrier_.arrive_and_wait();
    return 0;
  }

  size_t slots_;
  std::vector<ExchangeCalls> calls_;
  std::vector<Member> members_;
  std::vector<SlotShare> shares_;
  std::vector<uint64_t> leads_;
  std::barrier<> barrier_;
  size_t breaks_ = ~size_t{0};
};

}  // namespace gaussflow::test

#endif  // GAUSSFLOW_TEST_THREAD_RANKS_H_
