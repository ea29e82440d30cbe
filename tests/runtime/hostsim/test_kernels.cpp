// SPDX-License-Identifier: Apache-2.0
// A host image for the tests of the driver: kernels that behave, and kernels that do not.
#include "codegen/kernels/base/device.cuh"
#include "runtime/base/hostsim_abi.h"

namespace llcuda {
namespace {

template <typename T>
T* argument(void* const* arguments, int i) {
  return static_cast<T*>(arguments[i]);
}

// x, y: y[i] = 2 * x[i]
void doubleValues(LlcudaHostContext* context, void* const* arguments) {
  llcudaHostContext = context;
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  argument<float>(arguments, 1)[i] = 2.f * argument<const float>(arguments, 0)[i];
}

// counter: += 1 by every thread
void count(LlcudaHostContext* context, void* const* arguments) {
  llcudaHostContext = context;
  atomicAddU32(argument<uint32_t>(arguments, 0), 1);
}

// y, index: thread 3 of the last block writes y[index[0]]
void writeAt(LlcudaHostContext* context, void* const* arguments) {
  llcudaHostContext = context;
  if (threadIdx.x == 3 && blockIdx.x == gridDim.x - 1)
    argument<uint8_t>(arguments, 0)[*argument<const int64_t>(arguments, 1)] = 1;
}

// Half of the threads wait for the other half, which has ended.
void diverge(LlcudaHostContext* context, void* const*) {
  llcudaHostContext = context;
  if (threadIdx.x < 16)
    syncThreads();
}

// y: the dynamic shared memory's last byte
void dynamicShared(LlcudaHostContext* context, void* const* arguments) {
  llcudaHostContext = context;
  LLCUDA_DYNAMIC_SHARED(uint8_t, shared);
  *argument<uint8_t>(arguments, 0) = shared[60 * 1024 - 1];
}

const LlcudaHostKernel kKernels[] = {
    {"double_values", doubleValues, 2, 64},
    {"count", count, 1, 256},
    {"write_at", writeAt, 2, 32},
    {"diverge", diverge, 0, 32},
    {"dynamic_shared", dynamicShared, 1, 32},
};

} // namespace
} // namespace llcuda

extern "C" __attribute__((visibility("default"))) const LlcudaHostImage llcudaHostImage = {
    LLCUDA_HOST_ABI_VERSION, sizeof llcuda::kKernels / sizeof llcuda::kKernels[0], llcuda::kKernels};
