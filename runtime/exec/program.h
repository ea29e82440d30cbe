// SPDX-License-Identifier: Apache-2.0
// An engine on a device: its weights and constants uploaded, its kernels loaded or on their way. Shared by all sessions
// of the two.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/weight_files.h"
#include "runtime/exec/device.h"
#include "runtime/exec/kernel_table.h"

namespace llcuda {

class Program {
public:
  /// Uploads, and begins to load kernels; weights are checked on the way (weight_upload.h). `guard`: every buffer gets
  /// an allocation of its own. `weightsFrom`: see WeightFiles::open(). Memory is not counted here: checkMemory().
  static Result<std::shared_ptr<const Program>> load(std::shared_ptr<const Engine> engine, OpenedDevice device,
                                                     bool guard, const std::string& weightsFrom = {});

  const Engine& engine() const { return *file; }
  const OpenedDevice& device() const { return target; }
  bool guarded() const { return guard; }
  /// How long weights and constants took to be read, checked and uploaded.
  std::chrono::nanoseconds uploading() const { return uploadTime; }

  const KernelTable& kernels() const { return *table; }
  /// Address of a weight or constant buffer; 0 for other kinds.
  cuda::CUdeviceptr address(uint32_t buffer) const { return addresses[buffer]; }

private:
  Program() = default;
  Result<cuda::CUdeviceptr> allocate(uint64_t bytes, fb::BufferKind kind);
  Result<void> allocate(fb::BufferKind kind, uint64_t bytes);
  Result<void> uploadConstants(const cuda::Stream& stream, std::span<const std::byte> segment) const;
  Result<void> uploadReferenced(const cuda::Stream& stream, const WeightFiles& files) const;

  std::shared_ptr<const Engine> file;
  OpenedDevice target;
  bool guard = false;
  std::chrono::nanoseconds uploadTime{};
  std::vector<cuda::DeviceMemory> memory;   // weights, constants
  std::vector<cuda::CUdeviceptr> addresses; // of each buffer
  std::unique_ptr<const KernelTable> table; // the last member: its thread uses `file` and `target`
};

} // namespace llcuda
