// Tests whether the BLAS of the addon can be trusted. The addon's export selfTest (addon.cc) calls
// it when src/backend/native/load.ts loads an addon and when the installer accepts one. It finds
// known failures of OpenBLAS builds: 64-bit integers under 32-bit names, kernels whose dpotrf calls
// a good matrix indefinite (OpenBLAS #1643, #2029, #2986), serial builds without locks called from
// several threads (#2126).
#ifndef GAUSSFLOW_CORE_SELF_TEST_H_
#define GAUSSFLOW_CORE_SELF_TEST_H_

#include <cstddef>
#include <string>

namespace gaussflow {

struct SelfTest {
  bool ok;
  std::string message;
};

// Factors a symmetric positive definite matrix of order n with a known solution; above order 256,
// or where the build may be one without locks, on four threads at once as well.
SelfTest TestBlas(size_t n);

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_SELF_TEST_H_
