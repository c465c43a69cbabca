// What one JavaScript environment (the main thread or a worker thread) owns: a flag that stops its
// running calls.
#ifndef GAUSSFLOW_BINDING_ENVIRONMENT_H_
#define GAUSSFLOW_BINDING_ENVIRONMENT_H_

#include <atomic>
#include <memory>

#include "napi_setup.h"

namespace gaussflow {

struct Environment {
  // Shared with the calls in flight: they may outlive the environment's data.
  std::shared_ptr<std::atomic<bool>> closing = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace gaussflow

#endif  // GAUSSFLOW_BINDING_ENVIRONMENT_H_
