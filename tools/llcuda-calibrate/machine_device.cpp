// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-calibrate/machine_device.h"

#include <utility>

#include "codegen/host/host_compiler.h"
#include "codegen/nvrtc/kernel_compiler.h"
#include "runtime/exec/carveout.h"

namespace llcuda::calibrate {

Result<std::unique_ptr<MachineDevice>> MachineDevice::open(const CalibrateRequest& request,
                                                           std::span<const codegen::KernelSpec> specs) {
  std::unique_ptr<MachineDevice> device(new MachineDevice);
  device->host = request.onHost;
  const cuda::DriverKind kind = request.onHost ? cuda::DriverKind::kHost : cuda::DriverKind::kCuda;
  LLCUDA_ASSIGN_OR_RETURN(auto driver, cuda::Driver::open(kind));
  LLCUDA_ASSIGN_OR_RETURN(device->context, cuda::Context::create(driver, request.deviceIndex));
  LLCUDA_ASSIGN_OR_RETURN(device->queue, cuda::Stream::create(device->context));
  LLCUDA_ASSIGN_OR_RETURN(device->start, cuda::Event::createTimed(device->context));
  LLCUDA_ASSIGN_OR_RETURN(device->stop, cuda::Event::createTimed(device->context));
  LLCUDA_RETURN_IF_ERROR(device->load(request, specs));
  return device;
}

Result<void> MachineDevice::load(const CalibrateRequest& request, std::span<const codegen::KernelSpec> specs) {
  const auto add = [&](std::string_view image, std::span<const codegen::KernelSpec> of) -> Result<void> {
    LLCUDA_ASSIGN_OR_RETURN(auto module, cuda::Module::load(context, std::as_bytes(std::span(image)), of[0].name));
    for (const codegen::KernelSpec& spec : of) {
      LLCUDA_ASSIGN_OR_RETURN(auto function, module.function(spec.name));
      functions.insert_or_assign(spec.name, std::move(function));
    }
    modules.push_back(std::move(module));
    return {};
  };
  if (host) {
    LLCUDA_ASSIGN_OR_RETURN(const auto image,
                            codegen::compileHostImage(specs, {.compiler = request.hostCompiler, .jobs = 2}));
    return add(image.bytes, specs);
  }
  const auto [major, minor] = std::pair(context->device().major, context->device().minor);
  if (std::pair(major, minor) < std::pair(7, 5))
    return makeError(ErrorCode::kNoDevice, context->device().name, " has compute capability ", major, ".", minor,
                     ", llcuda needs 7.5 or newer");
  LLCUDA_ASSIGN_OR_RETURN(const auto nvrtc, codegen::NvrtcLibrary::open(request.nvrtc));
  for (std::size_t i = 0; i < specs.size(); ++i) {
    LLCUDA_ASSIGN_OR_RETURN(const auto compiled, codegen::compileSource(nvrtc, specs[i].name, specs[i].source()));
    const bool native = major == 7 && minor == 5;
    LLCUDA_RETURN_IF_ERROR(add(native ? compiled.cubin : compiled.ptx, specs.subspan(i, 1)));
  }
  return {};
}

Result<void> MachineDevice::setCarveout(const codegen::KernelSpec& spec, int percent) const {
  return context->call(context->functions().cuFuncSetAttribute, "dividing the L1 cache", functions.at(spec.name).handle,
                       kPreferredCarveout, percent);
}

Result<void> MachineDevice::launchOn(const cuda::Stream& stream, const codegen::KernelSpec& spec, uint32_t blocks,
                                     std::span<const cuda::CUdeviceptr> arguments) const {
  return stream.launch(functions.at(spec.name), {blocks, 1, 1}, spec.threads, 0, arguments);
}

Result<double> MachineDevice::time(const codegen::KernelSpec& spec, uint32_t blocks,
                                   std::span<const cuda::CUdeviceptr> arguments, uint32_t launches) const {
  LLCUDA_RETURN_IF_ERROR(queue.record(start));
  for (uint32_t i = 0; i < launches; ++i) LLCUDA_RETURN_IF_ERROR(launch(spec, blocks, arguments));
  LLCUDA_RETURN_IF_ERROR(queue.record(stop));
  LLCUDA_RETURN_IF_ERROR(stop.synchronize());
  return cuda::nanosecondsBetween(start, stop);
}

} // namespace llcuda::calibrate
