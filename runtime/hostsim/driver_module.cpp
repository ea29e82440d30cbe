// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "runtime/hostsim/driver_state.h"
#include "runtime/hostsim/shared_memory.h"

namespace llcuda::cuda {
namespace {

using hostsim::DriverCall;
using hostsim::DriverState;
using hostsim::FunctionObject;
using hostsim::KernelWork;
using hostsim::ModuleObject;
using hostsim::Needs;
using hostsim::refuse;
using hostsim::serve;

constexpr uint32_t kDefaultDynamicSharedBytes = 48 << 10;

/// What the caller's error log option wants; nothing when it did not ask.
void writeLog(const std::string& text, unsigned count, const CUjit_option* options, void* const* values) {
  char* buffer = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
      buffer = static_cast<char*>(values[i]);
    else if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
      bytes = reinterpret_cast<uintptr_t>(values[i]);
  }
  if (buffer && bytes != 0)
    std::snprintf(buffer, bytes, "%s", text.c_str());
}

/// Finds the function among the modules that are loaded.
FunctionObject* findFunction(const DriverState& state, CUfunction handle) {
  for (const auto& [module, object] : state.modules)
    for (const auto& [name, function] : object->functions)
      if (reinterpret_cast<CUfunction>(function.get()) == handle)
        return function.get();
  return nullptr;
}

CUresult noFunction() {
  return refuse(CUDA_ERROR_INVALID_HANDLE, "no such function, or its module is unloaded");
}

/// The kernel's arguments: device pointers all of them. Host pointers would work here, and nowhere else.
CUresult readArguments(const DriverState& state, KernelWork& work, void* const* parameters) {
  for (uint32_t i = 0; i < work.kernel->parameters; ++i) {
    void* argument = *static_cast<void* const*>(parameters[i]);
    if (argument && !state.memory.isKnown(argument))
      return refuse(CUDA_ERROR_INVALID_VALUE,
                    detail::concat(work.kernel->name, ": argument ", i, " (", argument,
                                   ") is no device memory: ", state.memory.describe(argument)));
    work.arguments.push_back(argument);
  }
  return CUDA_SUCCESS;
}

} // namespace

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned optionCount, CUjit_option* options,
                            void** optionValues) {
  return serve(DriverCall::cuModuleLoadDataEx, Needs::kContext, [&](DriverState& state) {
    if (!module || !image)
      return refuse(CUDA_ERROR_INVALID_VALUE, "no image");
    if (const CUresult result = refuseInCapture(state); result != CUDA_SUCCESS)
      return result;
    auto loaded = hostsim::HostImage::load(image);
    if (!loaded) {
      writeLog(loaded.error().message, optionCount, options, optionValues);
      return refuse(loaded.error().code == ErrorCode::kUnsupported ? CUDA_ERROR_NO_BINARY_FOR_GPU
                                                                   : CUDA_ERROR_INVALID_IMAGE,
                    loaded.error().message);
    }
    const std::lock_guard lock(state.mutex);
    *module = state.modules.add(std::make_unique<ModuleObject>(ModuleObject{std::move(*loaded), {}}));
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleUnload(CUmodule module) {
  return serve(DriverCall::cuModuleUnload, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.modules.remove(module) ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_HANDLE, "no such module");
  });
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return serve(DriverCall::cuModuleGetFunction, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    ModuleObject* object = state.modules.find(module);
    if (!object)
      return refuse(CUDA_ERROR_INVALID_HANDLE, "no such module");
    const LlcudaHostKernel* kernel = object->image.kernel(name);
    if (!kernel)
      return refuse(CUDA_ERROR_NOT_FOUND, std::string("the image has no kernel ") + name);
    auto& entry = object->functions[name];
    if (!entry)
      entry = std::make_unique<FunctionObject>(FunctionObject{kernel, kDefaultDynamicSharedBytes});
    *function = reinterpret_cast<CUfunction>(entry.get());
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
  return serve(DriverCall::cuFuncSetAttribute, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    FunctionObject* function = findFunction(state, handle);
    if (!function)
      return noFunction();
    constexpr int kPreferredCarveout = 9; // a hint, in per cent, -1: none, about a cache that this device does not have
    if (attribute == kPreferredCarveout && value >= -1 && value <= 100)
      return CUDA_SUCCESS;
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0 ||
        static_cast<size_t>(value) > hostsim::SharedMemory::kMaxBytes)
      return refuse(CUDA_ERROR_INVALID_VALUE, "dynamic shared memory can be set, up to " +
                                                  std::to_string(hostsim::SharedMemory::kMaxBytes) + " bytes");
    function->maxDynamicSharedBytes = static_cast<uint32_t>(value);
    return CUDA_SUCCESS;
  });
}

CUresult cuLaunchKernel(CUfunction handle, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                        unsigned blockY, unsigned blockZ, unsigned dynamicSharedBytes, CUstream stream,
                        void** parameters, void** extra) {
  return serve(DriverCall::cuLaunchKernel, Needs::kContext, [&](DriverState& state) {
    KernelWork work{};
    {
      const std::lock_guard lock(state.mutex);
      const FunctionObject* function = findFunction(state, handle);
      if (!function)
        return noFunction();
      if (dynamicSharedBytes > function->maxDynamicSharedBytes)
        return refuse(CUDA_ERROR_INVALID_VALUE, detail::concat(function->kernel->name, ": ", dynamicSharedBytes,
                                                               " bytes of dynamic shared memory, ",
                                                               function->maxDynamicSharedBytes, " are allowed"));
      work.kernel = function->kernel;
    }
    if (extra || blockY != 1 || blockZ != 1)
      return refuse(CUDA_ERROR_NOT_SUPPORTED, "hostsim has blocks of one dimension and no extra launch options");
    if (blockX > work.kernel->threads)
      return refuse(CUDA_ERROR_INVALID_VALUE, detail::concat(work.kernel->name, ": blocks of ", blockX, " threads, ",
                                                             work.kernel->threads, " are allowed"));
    work.grid = {gridX, gridY, gridZ};
    work.threads = blockX;
    work.dynamicSharedBytes = dynamicSharedBytes;
    if (const CUresult result = readArguments(state, work, parameters); result != CUDA_SUCCESS)
      return result;
    return submit(state, stream, std::move(work));
  });
}

} // namespace llcuda::cuda
