// The calls by which an engine joins the sums of its slots (slots.h) with those of other processes.
// The core knows no transport: the MPI addon (native/mpi) makes a table of these calls, and the
// binding passes it to the engine. Every rank of a run makes the same calls in the same order.
#ifndef GAUSSFLOW_CORE_EXCHANGE_H_
#define GAUSSFLOW_CORE_EXCHANGE_H_

#include <cstdint>

namespace gaussflow {

// Joins what the left and the right half of some slots have given, in `left`.
using ExchangeCombine = void (*)(void* user, void* left, void* right);

// A symmetric matrix that the ranks hold together, as ScaLAPACK wants it: cut into blocks of
// `block` rows and columns, block (i, j) on rank (i % grid_rows) * grid_columns + j % grid_columns.
// Each rank has its blocks as one array, column-major, `lead` numbers a column, without gaps.
struct ExchangeMatrix {
  uint64_t order;
  uint64_t block;
  uint32_t grid_rows;
  uint32_t grid_columns;
  uint64_t lead;
  uint32_t threads;  // of this rank, for products inside its blocks
};

// Plain C types, because the table crosses from one addon to another, whose compilers may differ.
// Calls block the calling thread, which is never the event loop's, and return 0, or another number
// where the ranks cannot be reached any more or the environment is closing.
struct ExchangeCalls {
  uint32_t version;  // kExchangeVersion
  uint32_t rank;     // of this process, from 0
  uint32_t ranks;    // their number
  void* context;     // the first argument of the calls
  // `values`: the sum over the slots of this rank becomes that over all slots, joined by the tree
  // of slots.h, with the same bits on every rank.
  int (*sum)(void* context, double* values, uint64_t count);
  // `record`: becomes that of the lowest rank whose first byte is not 0; all zeros where there is
  // none. At most kMostOfRecord bytes, the same number on every rank.
  int (*first)(void* context, void* record, uint64_t bytes);
  // `values`, any `bytes`: as with `sum`, where the two sides of a node are joined by `combine` in
  // place of an addition, and the root's goes to every rank. combine(user, left, right) leaves the
  // join in `left`, and may use `right` as scratch; the calling thread makes it, on the lowest rank
  // of the node. Both are aligned as doubles are.
  int (*join)(void* context, void* values, uint64_t bytes, ExchangeCombine combine, void* user);

  // All ranks take part in these, also those beyond the slots. Their bits may depend on the number
  // of ranks, and are the same on every rank. All but `total` are null where the addon was built
  // without ScaLAPACK.

  // `values`: the sum over the ranks.
  int (*total)(void* context, double* values, uint64_t count);
  // The blocks below the diagonal become those above it, transposed; those on the diagonal stay.
  int (*mirror)(void* context, const ExchangeMatrix* matrix, double* local);
  // The lower triangle, diagonal included, becomes its Cholesky factor; the upper one stays.
  // `pivot`: the first that is not positive, counted from 1, or 0.
  int (*factor)(void* context, const ExchangeMatrix* matrix, double* local, uint64_t* pivot);
  // x (order numbers, on every rank) = (L L^T)^-1 x with that factor.
  int (*solve)(void* context, const ExchangeMatrix* matrix, const double* local, double* x);
};

constexpr uint32_t kExchangeVersion = 2;
constexpr uint64_t kMostOfRecord = 64;

// The tag of the JavaScript value that holds a `const ExchangeCalls*`: the MPI addon sets it and
// the binding checks it.
constexpr uint64_t kExchangeTag[2] = {0x6761757373666c6f, 0x772d65786368616e};

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_EXCHANGE_H_
