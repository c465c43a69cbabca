// Holds the state of one JavaScript environment (the main thread or a worker thread): a flag that
// stops its running calls, and the size up to which a call runs synchronously. addon.cc creates it
// and changes it by cancelAll and synchronousUpTo; engine_object.cc reads it for each new engine.
#ifndef GAUSSFLOW_BINDING_ENVIRONMENT_H_
#define GAUSSFLOW_BINDING_ENVIRONMENT_H_

#include <atomic>
#include <memory>

#include "../core/cost.h"
#include "napi_setup.h"

namespace gaussflow {

struct Environment {
  // Shared with the calls in flight: they may outlive the environment's data.
  std::shared_ptr<std::atomic<bool>> closing = std::make_shared<std::atomic<bool>>(false);
  // Calls of at most this cost run where they stand, of engines on one thread; others keep to
  // cost::kSynchronousFlops.
  double synchronous_flops = cost::kSynchronousFlops;
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_ENVIRONMENT_H_
