// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "runtime/cuda/context.h"

namespace llcuda::cuda {

/// A kernel, while its Module lives.
struct Function {
  CUfunction handle = nullptr;
  std::string name;
};

/// A kernel image on the device: machine code, PTX, or a host image.
class Module {
public:
  /// `what` names the image in errors, which hold what the driver's linker said. The bytes may go afterwards.
  static Result<Module> load(std::shared_ptr<const Context> context, std::span<const std::byte> image,
                             std::string_view what);
  Module() = default;

  /// The kernel of this name; blocks may ask for up to `dynamicSharedBytes`.
  Result<Function> function(const std::string& name, uint32_t dynamicSharedBytes = 0) const;

private:
  Owned<CUmodule, &DriverTable::cuModuleUnload> module;
};

} // namespace llcuda::cuda
