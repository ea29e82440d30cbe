// SPDX-License-Identifier: Apache-2.0
// An engine on a device: its kernels loaded, its weights and constants uploaded. Shared by all sessions of the two.
#pragma once

#include <memory>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/module.h"
#include "runtime/cuda/stream.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/device.h"

namespace llcuda {

class Program {
public:
  /// Loads and uploads. `guard`: every buffer gets an allocation of its own. Memory is not counted here: checkMemory().
  static Result<std::shared_ptr<const Program>> load(std::shared_ptr<const Engine> engine, OpenedDevice device,
                                                     bool guard);

  const Engine& engine() const { return *file; }
  const OpenedDevice& device() const { return target; }
  bool guarded() const { return guard; }

  const cuda::Function& function(uint32_t kernel) const { return functions[kernel]; }
  /// Address of a weight or constant buffer; 0 for other kinds.
  cuda::CUdeviceptr address(uint32_t buffer) const { return addresses[buffer]; }

private:
  Program() = default;
  Result<void> loadKernels();
  Result<cuda::CUdeviceptr> place(const cuda::Stream& stream, std::span<const std::byte> bytes, const char* purpose);
  Result<void> upload(const cuda::Stream& stream, fb::BufferKind kind, schema::SegmentKind segment);

  std::shared_ptr<const Engine> file;
  OpenedDevice target;
  bool guard = false;
  std::vector<cuda::Module> modules;
  std::vector<cuda::Function> functions;    // of each kernel
  std::vector<cuda::DeviceMemory> memory;   // weights, constants
  std::vector<cuda::CUdeviceptr> addresses; // of each buffer
};

} // namespace llcuda
