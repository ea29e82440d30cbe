// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/module.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/device.h"

namespace llcuda {

/// The kernels of an engine on a device. A thread loads all of them, those of phases with few rows first; whoever needs
/// one that is not there yet loads it itself. The destructor ends the thread after the kernel that it loads.
class KernelTable {
public:
  /// `engine` and `device` outlive the object.
  KernelTable(const Engine& engine, const OpenedDevice& device);
  KernelTable(const KernelTable&) = delete;
  KernelTable& operator=(const KernelTable&) = delete;

  /// Loaded, with its share of the L1 cache set. Any thread. kBadInput: the images are damaged; kInternal: the driver
  /// does not take the image.
  Result<const cuda::Function*> function(uint32_t kernel) const;
  /// Waits until all are there.
  Result<void> loadAll() const;

private:
  /// What is made once, by the first that asks.
  template <typename Value>
  struct Once {
    std::once_flag made;
    std::optional<Result<Value>> value;
  };
  Result<cuda::Function> load(uint32_t kernel) const;
  Result<const cuda::Module*> moduleOf(uint32_t kernel) const;

  const Engine& engine;
  const OpenedDevice& device;
  std::vector<const fb::Image*> images; ///< of each kernel
  std::vector<std::size_t> moduleAt;    ///< the same: one image may serve every kernel
  mutable std::vector<std::unique_ptr<Once<cuda::Module>>> modules;
  mutable std::vector<std::unique_ptr<Once<cuda::Function>>> functions; ///< of each kernel
  std::jthread loader;                                                  ///< the last member: it uses the others
};

} // namespace llcuda
