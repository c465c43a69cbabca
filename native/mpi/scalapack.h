// A symmetric matrix in blocks on the ranks, factored and solved by ScaLAPACK, for the calls of
// native/core/exchange.h. The library is loaded at the first of them: it brings a BLAS that no
// other run is to have among its symbols. Every function runs on the thread of the commands
// (command_thread.h) and waits inside of MPI until all ranks are there.
#ifndef GAUSSFLOW_MPI_SCALAPACK_H_
#define GAUSSFLOW_MPI_SCALAPACK_H_

#include <mpi.h>

#include <cstdint>
#include <vector>

#include "../core/exchange.h"

namespace gaussflow::mpi {

class Scalapack {
 public:
  // Whether the addon was built where ScaLAPACK is.
  static bool Built();

  // The calls of ExchangeCalls, which throw Failure. The x of `Solve` is what this rank has of the
  // result, and 0 elsewhere: the sum over the ranks is all of it.
  void Mirror(MPI_Comm all, const ExchangeMatrix& matrix, double* local);
  uint64_t Factor(MPI_Comm all, const ExchangeMatrix& matrix, double* local);
  void Solve(MPI_Comm all, const ExchangeMatrix& matrix, const double* local, double* x);

 private:
  // The functions of the library.
  struct Library {
    int (*system_handle)(MPI_Comm comm);
    void (*grid_init)(int* context, const char* order, int rows, int columns);
    void (*grid_info)(int context, int* rows, int* columns, int* row, int* column);
    void (*transpose)(const int* m, const int* n, const double* alpha, const double* a,
                      const int* ia, const int* ja, const int* desc_a, const double* beta,
                      double* c, const int* ic, const int* jc, const int* desc_c);
    void (*factor)(const char* triangle, const int* n, double* a, const int* ia, const int* ja,
                   const int* desc, int* info);
    void (*solve)(const char* triangle, const int* n, const int* count, const double* a,
                  const int* ia, const int* ja, const int* desc_a, double* b, const int* ib,
                  const int* jb, const int* desc_b, int* info);
    // Of OpenBLAS; null where the BLAS is another.
    void (*set_threads)(int threads);
    int (*get_threads)();
  };
  // The place of this rank.
  struct Grid {
    int context, rows, columns, row, column;
  };
  void Load();
  // The grid of that shape, made once.
  const Grid& GridOf(MPI_Comm all, const ExchangeMatrix& matrix);

  Library library_ = {};
  bool loaded_ = false;
  std::vector<Grid> grids_;
};

}  // namespace gaussflow::mpi

#endif  // GAUSSFLOW_MPI_SCALAPACK_H_
