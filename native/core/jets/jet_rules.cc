// Implements the rules of jets through an activation (jet_rules.h) by a few loops over contiguous
// numbers.
#include "jets/jet_rules.h"

#include <algorithm>

#include "simd.h"

namespace gaussflow {

namespace {

// out = a b.
GAUSSFLOW_CLONES
void Multiply(size_t count, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < count; ++i) out[i] = a[i] * b[i];
}

// out += factor a b.
GAUSSFLOW_CLONES
void AddProduct(size_t count, double factor, const double* a, const double* b, double* out) {
  for (size_t i = 0; i < count; ++i) out[i] += factor * a[i] * b[i];
}

// out += factor a b c.
GAUSSFLOW_CLONES
void AddProduct(size_t count, double factor, const double* a, const double* b, const double* c,
                double* out) {
  for (size_t i = 0; i < count; ++i) out[i] += factor * a[i] * b[i] * c[i];
}

// A quantity and its first two derivatives along a direction.
struct Series {
  const double* value;
  const double* first;
  const double* second;
};

// The derivatives of factor a b, added to those of another.
GAUSSFLOW_CLONES
void AddDerivatives(size_t count, double factor, const Series& a, const Series& b, double* first,
                    double* second) {
  const double *a0 = a.value, *a1 = a.first, *a2 = a.second;
  const double *b0 = b.value, *b1 = b.first, *b2 = b.second;
  for (size_t i = 0; i < count; ++i) {
    first[i] += factor * (a1[i] * b0[i] + a0[i] * b1[i]);
    second[i] += factor * (a2[i] * b0[i] + 2.0 * a1[i] * b1[i] + a0[i] * b2[i]);
  }
}

// first = slope dz, second = bend dz^2 + slope ddz: the derivatives of a function of z.
GAUSSFLOW_CLONES
void ChainDerivatives(size_t count, const double* slope, const double* bend, const double* dz,
                      const double* ddz, double* first, double* second) {
  for (size_t i = 0; i < count; ++i) {
    first[i] = slope[i] * dz[i];
    second[i] = bend[i] * dz[i] * dz[i] + slope[i] * ddz[i];
  }
}

}  // namespace

void JetsForward(const JetChannels& channels, size_t count, const double* const* s, const double* z,
                 double* h) {
  const size_t firsts = channels.firsts;
  for (size_t i = 1; i <= firsts; ++i) Multiply(count, s[0], z + i * count, h + i * count);
  for (size_t k = 0; k < channels.seconds.size(); ++k) {
    double* out = h + (1 + firsts + k) * count;
    Multiply(count, s[0], z + (1 + firsts + k) * count, out);
    for (const auto& [i, j, c] : channels.seconds[k])
      AddProduct(count, c, s[1], z + (1 + i) * count, z + (1 + j) * count, out);
  }
}

void JetsBack(const JetChannels& channels, size_t count, const double* const* s, const double* z,
              double* adjoint, double* scratch) {
  const size_t firsts = channels.firsts, seconds = channels.seconds.size();
  double *value = scratch, *bent = scratch + count;
  Multiply(count, s[0], adjoint, value);
  for (size_t q = 1; q < channels.count(); ++q)
    AddProduct(count, 1.0, s[1], adjoint + q * count, z + q * count, value);
  for (size_t k = 0; k < seconds; ++k) {
    const double* of = adjoint + (1 + firsts + k) * count;
    Multiply(count, s[2], of, bent);
    for (const auto& [i, j, c] : channels.seconds[k])
      AddProduct(count, c, bent, z + (1 + i) * count, z + (1 + j) * count, value);
  }
  for (size_t i = 1; i <= firsts; ++i)
    Multiply(count, s[0], adjoint + i * count, adjoint + i * count);
  for (size_t k = 0; k < seconds; ++k) {
    double* of = adjoint + (1 + firsts + k) * count;
    Multiply(count, s[1], of, bent);
    for (const auto& [i, j, c] : channels.seconds[k]) {
      AddProduct(count, c, bent, z + (1 + j) * count, adjoint + (1 + i) * count);
      AddProduct(count, c, bent, z + (1 + i) * count, adjoint + (1 + j) * count);
    }
    Multiply(count, s[0], of, of);
  }
  std::copy_n(value, count, adjoint);
}

void JetsAlong(const JetChannels& channels, size_t count, const double* const* s, const double* z,
               const double* dz, const double* ddz, double* dh, double* ddh, double* scratch) {
  const size_t firsts = channels.firsts, seconds = channels.seconds.size();
  // s'(z) and s''(z) along the direction, and the sum of products of a channel.
  double *slope1 = scratch, *slope2 = scratch + count;
  double *bend1 = scratch + 2 * count, *bend2 = scratch + 3 * count;
  double* sum = scratch + 4 * count;
  const auto of = [&](size_t q) { return Series{z + q * count, dz + q * count, ddz + q * count}; };
  ChainDerivatives(count, s[0], s[1], dz, ddz, dh, ddh);
  if (firsts == 0) return;
  std::fill(dh + count, dh + channels.count() * count, 0.0);
  std::fill(ddh + count, ddh + channels.count() * count, 0.0);
  ChainDerivatives(count, s[1], s[2], dz, ddz, slope1, slope2);
  for (size_t q = 1; q < channels.count(); ++q)
    AddDerivatives(count, 1.0, {s[0], slope1, slope2}, of(q), dh + q * count, ddh + q * count);
  if (seconds == 0) return;
  ChainDerivatives(count, s[2], s[3], dz, ddz, bend1, bend2);
  for (size_t k = 0; k < seconds; ++k) {
    std::fill_n(sum, 3 * count, 0.0);
    for (const auto& [i, j, c] : channels.seconds[k]) {
      AddProduct(count, c, z + (1 + i) * count, z + (1 + j) * count, sum);
      AddDerivatives(count, c, of(1 + i), of(1 + j), sum + count, sum + 2 * count);
    }
    const size_t at = (1 + firsts + k) * count;
    AddDerivatives(count, 1.0, {s[1], bend1, bend2}, {sum, sum + count, sum + 2 * count}, dh + at,
                   ddh + at);
  }
}

}  // namespace gaussflow
