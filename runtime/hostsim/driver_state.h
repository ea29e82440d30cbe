// SPDX-License-Identifier: Apache-2.0
// What is behind the driver's handles, and the frame of every exported function.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "runtime/cuda/cuda_abi.h"
#include "runtime/hostsim/device_memory.h"
#include "runtime/hostsim/driver_calls.h"
#include "runtime/hostsim/executor.h"
#include "runtime/hostsim/host_image.h"

namespace llcuda::hostsim {

using namespace llcuda::cuda; // the driver's types keep their own names

/// Work of a stream: run at once, or recorded in a graph.
struct KernelWork {
  const LlcudaHostKernel* kernel;
  Dim3 grid;
  uint32_t threads, dynamicSharedBytes;
  std::vector<void*> arguments;
};
struct CopyWork {
  void* to;
  const void* from;
  size_t bytes;
};
struct FillWork {
  void* to;
  unsigned char value;
  size_t bytes;
};
using Work = std::variant<KernelWork, CopyWork, FillWork>;

struct FunctionObject {
  const LlcudaHostKernel* kernel;
  uint32_t maxDynamicSharedBytes;
};
struct ModuleObject {
  HostImage image;
  std::unordered_map<std::string, std::unique_ptr<FunctionObject>> functions;
};
struct GraphObject {
  std::vector<std::unique_ptr<Work>> nodes;
};
struct ExecutableObject {
  std::vector<Work> nodes;
};
struct StreamObject {
  std::unique_ptr<GraphObject> capture; ///< null: work is run
  std::thread::id capturer;
  bool captureBroken = false;
};
struct EventObject {
  bool timed = false;
  std::optional<std::chrono::steady_clock::time_point> recorded; ///< work has run by then
};

/// Objects by the handle that stands for them. A handle that is not alive is found out.
template <typename Handle, typename Object>
class HandleTable {
public:
  Handle add(std::unique_ptr<Object> object) {
    const auto handle = reinterpret_cast<Handle>(object.get());
    objects.emplace(handle, std::move(object));
    return handle;
  }
  Object* find(Handle handle) const {
    const auto found = objects.find(handle);
    return found == objects.end() ? nullptr : found->second.get();
  }
  bool remove(Handle handle) { return objects.erase(handle) == 1; }
  void clear() { objects.clear(); }
  size_t size() const { return objects.size(); }
  auto begin() const { return objects.begin(); }
  auto end() const { return objects.end(); }

private:
  std::unordered_map<Handle, std::unique_ptr<Object>> objects;
};

/// The driver. One for the process, as NVIDIA's is.
struct DriverState {
  static DriverState& instance();

  DriverCalls calls;
  DeviceMemory memory;

  std::mutex mutex; ///< of all below; not held while a kernel runs
  bool initialised = false;
  uint64_t contextShares = 0;
  CUresult broken = CUDA_SUCCESS; ///< after a kernel failed: what every call gives until the context is gone
  std::string brokenBy;
  HandleTable<CUmodule, ModuleObject> modules;
  HandleTable<CUstream, StreamObject> streams;
  HandleTable<CUevent, EventObject> events;
  HandleTable<CUgraph, GraphObject> graphs;
  HandleTable<CUgraphExec, ExecutableObject> executables;
  unsigned threadCount = 0;
  std::shared_ptr<Executor> executor; ///< made by the first launch

  /// Null: no such stream. The null handle is a stream of its own.
  StreamObject* stream(CUstream handle);
  /// Whether the calling thread captures a stream: it may then not call what waits, allocates or loads modules.
  bool capturesHere() const;
  void resetContext();
  std::shared_ptr<Executor> executorForLaunch();

private:
  StreamObject nullStream;
};

/// The primary context's handle; only its address matters.
CUcontext primaryContext();
/// What the calling thread has made current.
CUcontext& currentContext();

/// Remembers for cuGetErrorString on this thread why `result` is given, and gives it.
CUresult refuse(CUresult result, const std::string& why);

enum class Needs { kNothing, kDriver, kContext };

/// Counts the call, lets an armed fault strike, and checks that the driver can be called, before `body(state)` runs.
template <typename Body>
CUresult serve(DriverCall call, Needs needs, const Body& body) {
  DriverState& state = DriverState::instance();
  if (const CUresult fault = state.calls.count(call); fault != CUDA_SUCCESS)
    return refuse(fault, "asked for by a test");
  if (needs != Needs::kNothing) {
    const std::lock_guard lock(state.mutex);
    if (!state.initialised)
      return CUDA_ERROR_NOT_INITIALIZED;
    if (needs == Needs::kContext && (!currentContext() || state.contextShares == 0))
      return CUDA_ERROR_INVALID_CONTEXT;
    if (needs == Needs::kContext && state.broken != CUDA_SUCCESS)
      return refuse(state.broken, state.brokenBy);
  }
  return body(state);
}

/// Refuses what a GPU refuses while the thread captures a stream: calls that wait, change memory, or load modules.
CUresult refuseInCapture(DriverState& state);
/// Runs the work or, where the stream captures, records it.
CUresult submit(DriverState& state, CUstream stream, Work work);
CUresult run(DriverState& state, const Work& work);

} // namespace llcuda::hostsim

#define LLCUDA_HOSTSIM_EXPORT extern "C" __attribute__((visibility("default")))

// The exported functions, so that a definition of another type does not compile.
namespace llcuda::cuda {
#define LLCUDA_DRIVER_FUNCTION(symbol, ...) LLCUDA_HOSTSIM_EXPORT CUresult symbol(__VA_ARGS__);
#include "runtime/cuda/driver_functions.inc"
#undef LLCUDA_DRIVER_FUNCTION
} // namespace llcuda::cuda
