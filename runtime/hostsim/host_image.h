// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "runtime/base/hostsim_abi.h"
#include "runtime/base/result.h"

namespace llcuda::hostsim {

/// A host image in memory, loaded as a shared library. Unloaded at the end.
class HostImage {
public:
  /// `bytes` points to a whole ELF file; its headers say how long it is. kUnsupported: an image for something else.
  static Result<HostImage> load(const void* bytes);

  HostImage(HostImage&& other) noexcept;
  HostImage& operator=(HostImage&&) = delete;
  ~HostImage();

  /// Null when the image has no such kernel.
  const LlcudaHostKernel* kernel(std::string_view name) const;

private:
  HostImage() = default;

  int file = -1; // open as long as the library is loaded: the loader knows libraries by their path
  void* library = nullptr;
  const LlcudaHostImage* image = nullptr;
};

} // namespace llcuda::hostsim
