// Sizes and steps that all sweeps over the samples share which sum outer products delta h^T of the
// layers: the products with J and G (products.h) and those with the exact Hessian
// (hessian_products.h). The samples of a block, and the parts that the outer products are cut into,
// depend on sizes alone, so that no result depends on the number of threads.
#ifndef GAUSSFLOW_CORE_SWEEP_H_
#define GAUSSFLOW_CORE_SWEEP_H_

#include <cstddef>
#include <vector>

#include "architecture.h"
#include "panel_loops.h"

namespace gaussflow {

// Units of all layers.
size_t UnitCount(const Architecture& net);

// Samples of a block, each of which takes so many doubles in the panels.
size_t SweepBlock(size_t samples, size_t doubles_per_sample);

// True if the panels of all samples, `rows` doubles a sample, are kept from product to product.
bool KeepsPanels(const Architecture& net, size_t samples, bool from_file, size_t rows);

// Most units, and most inputs, of a part.
constexpr size_t kMostOfPart = 256;

// Part of one layer's outer product: units x inputs. It is one task.
struct OuterPart {
  size_t layer;
  size_t unit, units;
  size_t input, inputs;
};

size_t OuterPartCount(const Architecture& net);
// All parts, the large ones first, so that the threads end together. The capacity is their number.
std::vector<OuterPart> CutOuterProducts(const Architecture& net);

// The part of `sum` (p) becomes the layer's factor * sum of delta h^T over `count` samples, or that
// is added to it where it is not the `first`. h: the rows of all inputs of the layer, delta: those
// of all its units.
void AddOuterProduct(const Layer& layer, const OuterPart& part, size_t count, const double* h,
                     size_t ldh, const double* delta, size_t ld_delta, bool first, double* sum);

// The same for the biases of the part's units, which the parts with the first inputs have: scale *
// sum of delta.
template <typename T>
void AddBiasSums(const Layer& layer, const OuterPart& part, size_t count, const T* delta,
                 size_t ld_delta, double scale, bool first, double* sum) {
  if (!layer.bias || part.input != 0) return;
  for (size_t u = 0; u < part.units; ++u) {
    const double total = scale * Sum(count, delta + (part.unit + u) * ld_delta);
    double* entry = sum + layer.bias_offset + part.unit + u;
    *entry = first ? total : *entry + total;
  }
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_SWEEP_H_
