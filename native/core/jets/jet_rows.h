// Forms rows of J of a tile: layer by layer the sum over the channels of the outer products of
// adjoints and inputs, the bias from the value's channel alone, and the derivatives by the unknowns
// behind. JetEngine writes them to blocks (jet_gram.h), or shows them to its caller.
#ifndef GAUSSFLOW_CORE_JETS_JET_ROWS_H_
#define GAUSSFLOW_CORE_JETS_JET_ROWS_H_

#include <cstddef>

#include "architecture.h"
#include "jets/jet_tile.h"

namespace gaussflow {

// Numbers that a row needs, which is written in whole vectors: `parameters` and some to spare.
size_t JetRowSize(size_t parameters);

// The row of a residual at point i of a tile behind Back. row: JetRowSize of all parameters.
void FormJetRow(const Architecture& net, size_t unknowns, const JetTile& tile, double factor,
                size_t i, double* row);

// sums += the derivatives by the network's parameters that the adjoints of a tile behind BackSum
// stand for, summed over its points. `sums`: TransposeSize(net), each layer's weights as rows of
// padded width and then its biases.
size_t TransposeSize(const Architecture& net);
void AddTranspose(const Architecture& net, const JetTile& tile, double* sums);
// out (the network's parameters) += those sums.
void UnpackTranspose(const Architecture& net, const double* sums, double* out);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_ROWS_H_
