// Reads the seconds of a monotonic clock: engine.cc for the times that calls report, thread_pool.cc
// for how long an idle thread spins.
#ifndef GAUSSFLOW_CORE_CLOCK_H_
#define GAUSSFLOW_CORE_CLOCK_H_

#include <chrono>

namespace gaussflow {

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CLOCK_H_
