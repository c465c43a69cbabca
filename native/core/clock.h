// Seconds of a monotonic clock, for the times that calls report.
#ifndef GAUSSFLOW_CORE_CLOCK_H_
#define GAUSSFLOW_CORE_CLOCK_H_

#include <chrono>

namespace gaussflow {

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace gaussflow

#endif  // GAUSSFLOW_CORE_CLOCK_H_
