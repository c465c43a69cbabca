// Preloaded under Node (LD_PRELOAD): refuses one allocation that the addon asks for. The control file
// of REFUSE_MEMORY is mapped: [0] the number of the allocation (from 0; negative = count only), [1] 1
// while armed, [2] allocations since. Only calls from the code of gaussflow.node count.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

struct Control {
  std::atomic<int64_t> at, armed, seen;
};
Control* control = nullptr;

__attribute__((constructor)) void Open() {
  const char* path = std::getenv("REFUSE_MEMORY");
  if (path == nullptr) return;
  const int file = open(path, O_RDWR);
  void* const mapped = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) control = static_cast<Control*>(mapped);
}

bool IsAddon(void* caller) {
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == nullptr) return false;
  const size_t length = std::strlen(info.dli_fname);
  return length > 5 && std::strcmp(info.dli_fname + length - 5, ".node") == 0;
}

bool Refuses(void* caller) {
  if (control == nullptr || control->armed == 0 || !IsAddon(caller)) return false;
  return control->seen++ == control->at;
}

}  // namespace

void* operator new(size_t bytes) {
  void* const memory = Refuses(__builtin_return_address(0)) ? nullptr : std::malloc(bytes + !bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  if (Refuses(__builtin_return_address(0))) return nullptr;
  const auto line = static_cast<size_t>(alignment);
  return std::aligned_alloc(line, (bytes + line - 1) / line * line);
}

void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

extern "C" void* mmap(void* address, size_t bytes, int protection, int flags, int file, off_t at) {
  using Map = void* (*)(void*, size_t, int, int, int, off_t);
  static const Map map = reinterpret_cast<Map>(dlsym(RTLD_NEXT, "mmap"));
  if (Refuses(__builtin_return_address(0))) return MAP_FAILED;
  return map(address, bytes, protection, flags, file, at);
}
