# Finds one library set that holds BLAS and LAPACK with 32-bit integers and defines the imported target gaussflow::blas.
# Also sets BlasLapack_FOUND, GAUSSFLOW_BLAS_SOURCE (which step found it) and GAUSSFLOW_BLAS_LINK (what is linked).
#
# Every candidate must pass a link test of dsyrk_ and dpotrf_: a library that is merely there proves nothing (BLAS without
# LAPACK is common). Order: the user's GAUSSFLOW_BLAS_LIBRARIES (a CMake or environment variable; nothing else is tried
# then), Accelerate on macOS unless GAUSSFLOW_PREFER_OPENBLAS, OpenBLAS by its CMake package, by pkg-config, by FindBLAS,
# FlexiBLAS, and at last any BLAS + LAPACK, with a warning because the reference library is many times slower.
#
# scripts/install.mjs reads the marker lines "GAUSSFLOW-MISSING: blas" and "GAUSSFLOW-MISSING: lapack", no other text.
include(CheckCXXSourceCompiles)

set(GAUSSFLOW_BLAS_LIBRARIES "$ENV{GAUSSFLOW_BLAS_LIBRARIES}" CACHE STRING "BLAS and LAPACK libraries to link; empty = find them")
option(GAUSSFLOW_PREFER_OPENBLAS "Look for OpenBLAS before Accelerate on macOS" OFF)

# A FindBLAS search asks for 32-bit integers: an ILP64 library with unsuffixed names links and then corrupts memory.
set(BLA_SIZEOF_INTEGER 4)
set(_gaussflow_blas_seen FALSE)

function(_gaussflow_links body libraries result)
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_QUIET TRUE)
  unset(_gaussflow_link_test CACHE)
  check_cxx_source_compiles("
    extern \"C\" void dsyrk_(); extern \"C\" void dpotrf_();
    int main(int argc, char**) { if (argc > 99) { ${body} } return 0; }" _gaussflow_link_test)
  set(${result} "${_gaussflow_link_test}" PARENT_SCOPE)
  unset(_gaussflow_link_test CACHE)
endfunction()

# Takes `libraries` if they pass the link test and nothing was taken before.
macro(_gaussflow_try source libraries)
  if(NOT BlasLapack_FOUND AND NOT "${libraries}" STREQUAL "")
    _gaussflow_links("dsyrk_(); dpotrf_();" "${libraries}" _gaussflow_both)
    if(_gaussflow_both)
      set(BlasLapack_FOUND TRUE)
      set(GAUSSFLOW_BLAS_SOURCE "${source}")
      set(GAUSSFLOW_BLAS_LINK "${libraries}")
    elseif(NOT _gaussflow_blas_seen)
      _gaussflow_links("dsyrk_();" "${libraries}" _gaussflow_blas_seen)
    endif()
  endif()
endmacro()

# FindBLAS and FindLAPACK for one vendor name.
macro(_gaussflow_try_vendor source vendor)
  if(NOT BlasLapack_FOUND)
    set(BLA_VENDOR ${vendor})
    foreach(_package BLAS LAPACK)
      unset(${_package}_FOUND)
      unset(${_package}_LIBRARIES)
      find_package(${_package} QUIET)
    endforeach()
    set(_gaussflow_found ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES})
    list(REMOVE_ITEM _gaussflow_found "LAPACK_LIBRARIES-NOTFOUND" "BLAS_LIBRARIES-NOTFOUND")
    list(REMOVE_DUPLICATES _gaussflow_found)
    _gaussflow_try("${source}" "${_gaussflow_found}")
    unset(BLA_VENDOR)
  endif()
endmacro()

set(BlasLapack_FOUND FALSE)
if(GAUSSFLOW_BLAS_LIBRARIES)
  _gaussflow_try("GAUSSFLOW_BLAS_LIBRARIES" "${GAUSSFLOW_BLAS_LIBRARIES}")
else()
  if(APPLE)
    # Homebrew keeps its OpenBLAS out of the default prefix.
    foreach(_prefix /opt/homebrew/opt/openblas /usr/local/opt/openblas)
      if(EXISTS "${_prefix}")
        list(APPEND CMAKE_PREFIX_PATH "${_prefix}")
      endif()
    endforeach()
    if(NOT GAUSSFLOW_PREFER_OPENBLAS)
      _gaussflow_try_vendor("Accelerate" Apple)
    endif()
  endif()

  if(NOT BlasLapack_FOUND)
    find_package(OpenBLAS CONFIG QUIET)
    _gaussflow_try("OpenBLAS (CMake package)" "${OpenBLAS_LIBRARIES}")
  endif()
  if(NOT BlasLapack_FOUND)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      # Paths only: Homebrew's compile flags hold -fopenmp, which Apple's compiler refuses.
      pkg_check_modules(GAUSSFLOW_OPENBLAS QUIET openblas)
      _gaussflow_try("OpenBLAS (pkg-config)" "${GAUSSFLOW_OPENBLAS_LINK_LIBRARIES}")
    endif()
  endif()
  _gaussflow_try_vendor("OpenBLAS (FindBLAS)" OpenBLAS)
  _gaussflow_try_vendor("FlexiBLAS" FlexiBLAS)
  _gaussflow_try_vendor("any BLAS" All)
  if(BlasLapack_FOUND AND GAUSSFLOW_BLAS_SOURCE STREQUAL "any BLAS")
    message(WARNING "gaussflow links ${GAUSSFLOW_BLAS_LINK}, which may be the slow reference BLAS; OpenBLAS is better")
  endif()
endif()

if(BlasLapack_FOUND)
  message(STATUS "BLAS and LAPACK: ${GAUSSFLOW_BLAS_LINK} (${GAUSSFLOW_BLAS_SOURCE})")
  if(NOT TARGET gaussflow::blas)
    add_library(gaussflow::blas INTERFACE IMPORTED)
    target_link_libraries(gaussflow::blas INTERFACE ${GAUSSFLOW_BLAS_LINK})
  endif()
elseif(_gaussflow_blas_seen)
  message(NOTICE "GAUSSFLOW-MISSING: lapack")
else()
  message(NOTICE "GAUSSFLOW-MISSING: blas")
endif()
if(BlasLapack_FIND_REQUIRED AND NOT BlasLapack_FOUND)
  message(FATAL_ERROR "no BLAS + LAPACK passes the link test")
endif()
