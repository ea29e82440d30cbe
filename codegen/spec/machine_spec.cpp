// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/machine_spec.h"

#include "codegen/spec/kernel_builder.h"

namespace llcuda::codegen {
namespace {

Constant unitConstant(MachineUnit unit) {
  const int number = static_cast<int>(unit);
  return {"static_cast<llcuda::MachineUnit>(" + std::to_string(number) + ")", kMachineUnitNames[number]};
}

} // namespace

KernelSpec unitRateKernel(MachineUnit unit, uint32_t chains, uint32_t threads) {
  KernelBuilder kernel("unit_rate", "codegen/kernels/machine/unit_rate.cuh");
  kernel.constants({unitConstant(unit), number("c", chains), number("t", threads)});
  kernel.input("turns", "const uint32_t*").input("numbers", "const uint32_t*").input("words", "const uint32_t*");
  kernel.output("results", "uint32_t*").output("cycles", "uint64_t*");
  return kernel.build("unitRate", threads);
}

KernelSpec memoryReadKernel() {
  KernelBuilder kernel("memory_read", "codegen/kernels/machine/memory_read.cuh");
  kernel.constants({number("t", kReadThreads)});
  kernel.input("sizes", "const uint32_t*").input("data", "const uint4*");
  kernel.output("results", "uint32_t*").output("cycles", "uint64_t*");
  return kernel.build("memoryRead", kReadThreads);
}

KernelSpec loadLatencyKernel(MachineLevel level) {
  KernelBuilder kernel("load_latency", "codegen/kernels/machine/load_latency.cuh");
  kernel.constants({level == MachineLevel::kShared ? Constant{"llcuda::MachineLevel::kShared", "shared"}
                                                   : Constant{"llcuda::MachineLevel::kL2", "l2"}});
  kernel.input("steps", "const uint32_t*").input("next", "const uint32_t*");
  kernel.output("results", "uint32_t*").output("cycles", "uint64_t*");
  return kernel.build("loadLatency", 32);
}

KernelSpec residenceKernel() {
  KernelBuilder kernel("residence", "codegen/kernels/machine/residence.cuh");
  kernel.constants({number("t", kResidentThreads)});
  kernel.input("turns", "const uint32_t*").output("results", "uint32_t*").output("places", "uint64_t*");
  return kernel.build("residence", kResidentThreads);
}

KernelSpec emptyKernel() {
  KernelBuilder kernel("empty_launch", "codegen/kernels/machine/residence.cuh");
  constexpr uint32_t kThreads = 32;
  kernel.constants({number("t", kThreads)}).input("nothing", "const uint32_t*");
  return kernel.build("emptyLaunch", kThreads);
}

} // namespace llcuda::codegen
