// SPDX-License-Identifier: Apache-2.0
// hostsim as a test sees it: opened as a driver, with its controls and an image of kernels.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <vector>

#include "runtime/base/mapped_file.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"

namespace llcuda::hostsim {

template <typename T>
T valueOf(Result<T> result) {
  if (!result)
    throw std::runtime_error(result.error().message);
  return std::move(*result);
}
inline void check(const Result<void>& result) {
  if (!result)
    throw std::runtime_error(result.error().message);
}

/// Kernels and memory in a context that lives as long as the object.
struct HostDriver {
  HostDriver()
      : driver(valueOf(cuda::Driver::open(cuda::DriverKind::kHost, LLCUDA_HOSTSIM_LIBRARY))),
        context(valueOf(cuda::Context::create(driver))), stream(valueOf(cuda::Stream::create(context))),
        image(valueOf(MappedFile::open(LLCUDA_TEST_KERNELS))),
        module(valueOf(cuda::Module::load(context, image.bytes(), "the test kernels"))) {}

  cuda::DeviceMemory allocate(uint64_t bytes) const {
    return valueOf(cuda::DeviceMemory::allocate(context, bytes, "a test"));
  }
  template <typename T>
  void upload(const cuda::DeviceMemory& to, const std::vector<T>& values) const {
    check(stream.copyToDevice(to.address(), std::as_bytes(std::span(values))));
  }
  template <typename T>
  std::vector<T> download(const cuda::DeviceMemory& from) const {
    std::vector<T> values(from.bytes() / sizeof(T));
    check(stream.copyToHost(std::as_writable_bytes(std::span(values)), from.address()));
    check(stream.synchronize());
    return values;
  }
  Result<void> launch(const std::string& kernel, cuda::Grid grid, uint32_t threads,
                      std::vector<cuda::CUdeviceptr> arguments, uint32_t dynamicSharedBytes = 0) const {
    LLCUDA_ASSIGN_OR_RETURN(const cuda::Function function, module.function(kernel, dynamicSharedBytes));
    return stream.launch(function, grid, threads, dynamicSharedBytes, arguments);
  }

  std::shared_ptr<const cuda::Driver> driver;
  std::shared_ptr<const cuda::Context> context;
  cuda::Stream stream;
  MappedFile image;
  cuda::Module module;
};

/// A function of runtime/hostsim/control.h, from the library itself.
template <typename Function>
Function* control(const char* name) {
  static void* const library = dlopen(LLCUDA_HOSTSIM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  void* symbol = library ? dlsym(library, name) : nullptr;
  if (!symbol)
    throw std::runtime_error(std::string("hostsim lacks ") + name);
  return reinterpret_cast<Function*>(symbol);
}
#define LLCUDA_CONTROL(name) ::llcuda::hostsim::control<decltype(name)>(#name)

} // namespace llcuda::hostsim
