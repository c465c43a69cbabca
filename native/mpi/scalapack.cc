// Implements the factorization and the solves of a matrix in blocks by ScaLAPACK (scalapack.h).
#include "scalapack.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <string>

#include "transport.h"

namespace gaussflow::mpi {
namespace {

// The library that CMake has found; empty where there is none.
#ifndef GAUSSFLOW_SCALAPACK
#define GAUSSFLOW_SCALAPACK ""
#endif
constexpr const char* kLibrary = GAUSSFLOW_SCALAPACK;

using Descriptor = std::array<int, 9>;

// Entries of a matrix of `rows` x `columns` in those blocks.
Descriptor DescriptorOf(int context, const ExchangeMatrix& matrix, int columns, int column_block,
                        uint64_t lead) {
  constexpr int kDense = 1;
  const int order = static_cast<int>(matrix.order), block = static_cast<int>(matrix.block);
  return {kDense, context, order, columns, block, column_block, 0, 0, static_cast<int>(lead)};
}

// The BLAS has the threads of this rank as long as this stands: the engine, which has its own
// threads for its own products, waits meanwhile.
class Threads {
 public:
  Threads(void (*set)(int), int (*get)(), uint32_t threads) : set_(set) {
    if (set_ == nullptr || get == nullptr) return;
    before_ = get();
    set_(static_cast<int>(threads));
  }
  ~Threads() {
    if (before_ > 0) set_(before_);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  void (*set_)(int);
  int before_ = 0;
};

// body(i, here) for every row of the matrix on this row of the grid: its number in the matrix and
// its place here.
template <typename Body>
void ForEachRowHere(const ExchangeMatrix& matrix, uint64_t row, const Body& body) {
  uint64_t here = 0;
  for (uint64_t first = row * matrix.block; first < matrix.order;
       first += matrix.grid_rows * matrix.block)
    for (uint64_t i = first; i < std::min(matrix.order, first + matrix.block); ++i) body(i, here++);
}

}  // namespace

bool Scalapack::Built() { return kLibrary[0] != '\0'; }

void Scalapack::Load() {
  if (loaded_) return;
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Failure(std::string("ScaLAPACK does not load: ") + dlerror());
  const auto find = [&](const char* name, auto* function) {
    void* found = dlsym(library, name);
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(found);
    return found != nullptr;
  };
  const bool whole = find("Csys2blacs_handle", &library_.system_handle) &&
                     find("Cblacs_gridinit", &library_.grid_init) &&
                     find("Cblacs_gridinfo", &library_.grid_info) &&
                     find("pdtran_", &library_.transpose) && find("pdpotrf_", &library_.factor) &&
                     find("pdpotrs_", &library_.solve);
  if (!whole) throw Failure(std::string(kLibrary) + " is not the ScaLAPACK that is used here");
  find("openblas_set_num_threads", &library_.set_threads);
  find("openblas_get_num_threads", &library_.get_threads);
  loaded_ = true;
}

const Scalapack::Grid& Scalapack::GridOf(MPI_Comm all, const ExchangeMatrix& matrix) {
  const int rows = static_cast<int>(matrix.grid_rows);
  const int columns = static_cast<int>(matrix.grid_columns);
  for (const Grid& one : grids_)
    if (one.rows == rows && one.columns == columns) return one;
  Grid grid = {library_.system_handle(all), rows, columns, 0, 0};
  library_.grid_init(&grid.context, "Row-major", rows, columns);
  library_.grid_info(grid.context, &grid.rows, &grid.columns, &grid.row, &grid.column);
  return grids_.emplace_back(grid);
}

void Scalapack::Mirror(MPI_Comm all, const ExchangeMatrix& matrix, double* local) {
  Load();
  const Grid& grid = GridOf(all, matrix);
  const int n = static_cast<int>(matrix.order), block = static_cast<int>(matrix.block);
  const Descriptor description = DescriptorOf(grid.context, matrix, n, block, matrix.lead);
  const double one = 1.0, zero = 0.0;
  // A row of blocks at a time.
  for (int j = 1; j + block <= n; j += block) {
    const int below = j + block, rows = n - below + 1;
    library_.transpose(&rows, &block, &one, local, &j, &below, description.data(), &zero, local,
                       &below, &j, description.data());
  }
}

uint64_t Scalapack::Factor(MPI_Comm all, const ExchangeMatrix& matrix, double* local) {
  Load();
  const Grid& grid = GridOf(all, matrix);
  const Threads threads(library_.set_threads, library_.get_threads, matrix.threads);
  const int n = static_cast<int>(matrix.order), block = static_cast<int>(matrix.block);
  const Descriptor description = DescriptorOf(grid.context, matrix, n, block, matrix.lead);
  const int from = 1;
  int info = 0;
  library_.factor("L", &n, local, &from, &from, description.data(), &info);
  if (info < 0) throw Failure("pdpotrf refuses its argument " + std::to_string(-info));
  return static_cast<uint64_t>(info);
}

void Scalapack::Solve(MPI_Comm all, const ExchangeMatrix& matrix, const double* local, double* x) {
  Load();
  const Grid& grid = GridOf(all, matrix);
  const Threads threads(library_.set_threads, library_.get_threads, matrix.threads);
  const int n = static_cast<int>(matrix.order), block = static_cast<int>(matrix.block);
  const Descriptor factor = DescriptorOf(grid.context, matrix, n, block, matrix.lead);
  const Descriptor side = DescriptorOf(grid.context, matrix, 1, 1, matrix.lead);
  // The right side stands on the first column of the grid.
  std::vector<double> rows(matrix.lead);
  if (grid.column == 0)
    ForEachRowHere(matrix, grid.row, [&](uint64_t i, uint64_t here) { rows[here] = x[i]; });
  const int from = 1, count = 1;
  int info = 0;
  library_.solve("L", &n, &count, local, &from, &from, factor.data(), rows.data(), &from, &from,
                 side.data(), &info);
  if (info != 0) throw Failure("pdpotrs refuses its argument " + std::to_string(-info));
  std::fill(x, x + matrix.order, 0.0);
  if (grid.column == 0)
    ForEachRowHere(matrix, grid.row, [&](uint64_t i, uint64_t here) { x[i] = rows[here]; });
}

}  // namespace gaussflow::mpi
