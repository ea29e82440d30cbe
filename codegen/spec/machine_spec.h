// SPDX-License-Identifier: Apache-2.0
// Kernels that measure the GPU itself: codegen/kernels/machine.
#pragma once

#include "codegen/kernels/machine/machine_units.h"
#include "codegen/spec/kernel_spec.h"

namespace llcuda::codegen {

inline constexpr uint32_t kUnitThreads = 512;     ///< of unitRateKernel(), unless it is one warp
inline constexpr uint32_t kReadThreads = 256;     ///< of memoryReadKernel()
inline constexpr uint32_t kResidentThreads = 128; ///< of residenceKernel()

/// Of the units, in their order: in kernels' names and in the JSON of what was measured.
inline constexpr const char* kMachineUnitNames[kMachineUnits] = {"imma",  "hmma", "ffma", "dp4a", "alu", "mufu",
                                                                 "hfma2", "shfl", "ldsm", "lds",  "ldg"};
/// Of that JSON: a key that no other file has, and its version.
inline constexpr const char* kMachineKey = "llcuda_machine";
inline constexpr int kMachineVersion = 1;

/// `chains` independent chains a thread: 8 keep a unit busy, 1 of one warp shows how long an instruction takes.
KernelSpec unitRateKernel(MachineUnit unit, uint32_t chains, uint32_t threads);
KernelSpec memoryReadKernel();
KernelSpec loadLatencyKernel(MachineLevel level);
KernelSpec residenceKernel();
KernelSpec emptyKernel();

} // namespace llcuda::codegen
