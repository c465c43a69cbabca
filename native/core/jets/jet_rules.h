// The rules by which jets go through an activation s: forward, back (adjoints), and along a
// direction (two derivatives of the jets themselves). jet_pass.cc applies them layer by layer.
//
//   h = s(z)     h_i = s' z_i     h_k = s' z_k + s'' P_k,   P_k = sum of c z_i z_j over the channel
//
// All arrays are [channel][count]: `count` numbers, points by units, a channel.
#ifndef GAUSSFLOW_CORE_JETS_JET_RULES_H_
#define GAUSSFLOW_CORE_JETS_JET_RULES_H_

#include <cstddef>

#include "jets/jet_channels.h"

namespace gaussflow {

// Channels 1 and on of h from those of z and the derivatives s[0] = s', s[1] = s''.
void JetsForward(const JetChannels& channels, size_t count, const double* const* s, const double* z,
                 double* h);

// The adjoints of z in place of those of h, from s', s'' and s'''. `scratch`: 2 count.
void JetsBack(const JetChannels& channels, size_t count, const double* const* s, const double* z,
              double* adjoint, double* scratch);
constexpr size_t kBackScratch = 2;

// First and second derivatives (dh, ddh) of h along a direction, from those of z and s' ... s''''.
// `scratch`: 7 count.
void JetsAlong(const JetChannels& channels, size_t count, const double* const* s, const double* z,
               const double* dz, const double* ddz, double* dh, double* ddh, double* scratch);
constexpr size_t kAlongScratch = 7;

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_JETS_JET_RULES_H_
