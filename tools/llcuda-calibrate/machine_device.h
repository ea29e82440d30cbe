// SPDX-License-Identifier: Apache-2.0
// A device with the machine kernels compiled for it.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codegen/spec/kernel_spec.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/module.h"
#include "runtime/cuda/stream.h"
#include "tools/llcuda-calibrate/machine.h"

namespace llcuda::calibrate {

class MachineDevice {
public:
  /// Opens the device and compiles `specs` for it.
  static Result<std::unique_ptr<MachineDevice>> open(const CalibrateRequest& request,
                                                     std::span<const codegen::KernelSpec> specs);

  const cuda::DeviceInfo& info() const { return context->device(); }
  int driverVersion() const { return context->driver().version(); }
  bool onHost() const { return host; }
  const std::shared_ptr<const cuda::Context>& cudaContext() const { return context; }
  const cuda::Stream& stream() const { return queue; }

  /// A share of the L1 cache for shared memory, in per cent, -1: as the driver has it. For a kernel's later launches.
  Result<void> setCarveout(const codegen::KernelSpec& spec, int percent) const;
  /// Queues a launch.
  Result<void> launch(const codegen::KernelSpec& spec, uint32_t blocks,
                      std::span<const cuda::CUdeviceptr> arguments) const {
    return launchOn(queue, spec, blocks, arguments);
  }
  Result<void> launchOn(const cuda::Stream& stream, const codegen::KernelSpec& spec, uint32_t blocks,
                        std::span<const cuda::CUdeviceptr> arguments) const;
  /// Nanoseconds of launches that are queued one behind the other.
  Result<double> time(const codegen::KernelSpec& spec, uint32_t blocks, std::span<const cuda::CUdeviceptr> arguments,
                      uint32_t launches) const;

  template <typename Value>
  Result<cuda::DeviceMemory> upload(std::span<const Value> values) const {
    LLCUDA_ASSIGN_OR_RETURN(auto memory, cuda::DeviceMemory::allocate(context, values.size_bytes(), "a measurement"));
    LLCUDA_RETURN_IF_ERROR(queue.copyToDevice(memory.address(), std::as_bytes(values)));
    LLCUDA_RETURN_IF_ERROR(queue.synchronize());
    return memory;
  }
  template <typename Value>
  Result<std::vector<Value>> download(const cuda::DeviceMemory& memory, std::size_t count) const {
    std::vector<Value> values(count);
    LLCUDA_RETURN_IF_ERROR(queue.copyToHost(std::as_writable_bytes(std::span(values)), memory.address()));
    LLCUDA_RETURN_IF_ERROR(queue.synchronize());
    return values;
  }

private:
  MachineDevice() = default;
  Result<void> load(const CalibrateRequest& request, std::span<const codegen::KernelSpec> specs);

  std::shared_ptr<const cuda::Context> context;
  bool host = false;
  cuda::Stream queue;
  cuda::Event start, stop;
  std::vector<cuda::Module> modules;
  std::map<std::string, cuda::Function> functions; ///< by name
};

} // namespace llcuda::calibrate
