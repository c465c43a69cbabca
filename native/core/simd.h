// Dispatches loops at run time to the version for this processor: the default build has no -march,
// so a loop is compiled for several processors and the right version is bound when the addon is
// loaded. The elementwise files (activations, panel_loops, vectors) and the matrix products (gemm,
// pair_product) are compiled with it. Sanitizers cannot run the binder and use the plain loop.
#ifndef GAUSSFLOW_CORE_SIMD_H_
#define GAUSSFLOW_CORE_SIMD_H_

namespace gaussflow {

// False in builds that test on one machine what others run (CMake option GAUSSFLOW_NO_AVX512).
#ifdef GAUSSFLOW_NO_AVX512
constexpr bool kAvx512 = false;
#else
constexpr bool kAvx512 = true;
#endif

}  // namespace gaussflow

// GCC names these processors in target_clones from version 12 on, and rejects the names before.
#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && \
    defined(__linux__) && defined(__GLIBC__) && !defined(GAUSSFLOW_SANITIZE)
#ifdef GAUSSFLOW_NO_AVX512
#define GAUSSFLOW_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define GAUSSFLOW_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#else
#define GAUSSFLOW_CLONES
#endif

#endif  // GAUSSFLOW_CORE_SIMD_H_
