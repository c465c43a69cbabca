// A limit on address space: OpenBLAS asks again for ever for a work buffer that it cannot map, so a
// caller is admitted only where there is room, also while other threads hold the buffers that are
// there.
#include "blas.h"
#include "check.h"

#if defined(__linux__) && !defined(GAUSSFLOW_SANITIZE)
#include <sys/resource.h>
#include <unistd.h>
#endif

using namespace gaussflow;
using namespace gaussflow::test;

#if defined(__linux__) && !defined(GAUSSFLOW_SANITIZE)

extern "C" {
__attribute__((weak)) void* blas_memory_alloc(int);
__attribute__((weak)) void blas_memory_free(void*);
}

namespace {

size_t AddressSpace() {
  size_t pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%zu", &pages) != 1) pages = 0;
  if (file != nullptr) std::fclose(file);
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void Limit(rlim_t bytes) {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = bytes;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "the limit is set");
}

}  // namespace

int main() {
  const size_t before = AddressSpace();
  rlimit own;
  getrlimit(RLIMIT_AS, &own);
  if (before == 0 || own.rlim_cur != RLIM_INFINITY) return Finish();
  alarm(60);  // a call of OpenBLAS that never returns ends the program
  const blas::Caller caller;
  // What a call of another thread does while it runs: it has the one buffer that is there.
  void* const buffer = blas_memory_alloc == nullptr ? nullptr : blas_memory_alloc(0);

  Limit(AddressSpace() + blas::kWorkBuffer / 2);
  CHECK(!blas::AdmitThread(), "a thread was admitted without room for its work buffer");
  Limit(RLIM_INFINITY);
  CHECK(blas::AdmitThread(), "a thread was not admitted though there is room");
  blas::DismissThread();

  if (buffer != nullptr) blas_memory_free(buffer);
  return Finish();
}

#else

int main() { return Finish(); }

#endif
