// Includes napi.h, and is the only file that does, so that every translation unit sees the same
// configuration. All files of native/binding include it.
#ifndef GAUSSFLOW_BINDING_NAPI_SETUP_H_
#define GAUSSFLOW_BINDING_NAPI_SETUP_H_

#define NAPI_VERSION 8
#define NODE_ADDON_API_CPP_EXCEPTIONS
#define NODE_ADDON_API_CPP_EXCEPTIONS_ALL
#define NODE_ADDON_API_DISABLE_DEPRECATED
// Without it worker.terminate() during a call aborts the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
// Some embedders (Electron) forbid buffers over foreign memory; we never make them.
#define NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED

#include <napi.h>

#endif  // GAUSSFLOW_BINDING_NAPI_SETUP_H_
