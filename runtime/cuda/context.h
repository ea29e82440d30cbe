// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "runtime/cuda/driver.h"

namespace llcuda::cuda {

struct MemoryInfo {
  uint64_t freeBytes = 0, totalBytes = 0;
};

/// The primary context of a device, retained while the object lives. Everything made in it holds a share of it, so the
/// order of destruction does not matter. Usable from any thread, by one call at a time for each stream.
class Context {
public:
  static Result<std::shared_ptr<const Context>> create(std::shared_ptr<const Driver> driver, int ordinal = 0);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Driver& driver() const { return *owner; }
  const DriverTable& functions() const { return owner->functions(); }
  const DeviceInfo& device() const { return info; }

  Result<MemoryInfo> memoryInfo() const;

  /// Makes it the calling thread's.
  Result<void> makeCurrent() const { return owner->call(functions().cuCtxSetCurrent, "choosing the device", handle); }

  /// Calls a function with this context current on the calling thread. See Driver::call.
  template <typename Function, typename... Arguments>
  Result<void> call(const Function& function, std::string_view purpose, Arguments... arguments) const {
    LLCUDA_RETURN_IF_ERROR(makeCurrent());
    return owner->call(function, purpose, arguments...);
  }

private:
  Context() = default;

  std::shared_ptr<const Driver> owner;
  CUdevice ordinal = 0;
  CUcontext handle = nullptr;
  DeviceInfo info;
};

/// A handle that the driver gave, and gives back through `kDestroy`. A failure to do so is ignored: the context that
/// could not take it back is broken, and goes as a whole.
template <typename Handle, auto kDestroy>
class Owned {
public:
  Owned() = default;
  Owned(std::shared_ptr<const Context> context, Handle handle) : context(std::move(context)), handle(handle) {}
  Owned(Owned&& other) noexcept : context(std::move(other.context)), handle(std::exchange(other.handle, Handle{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(context, other.context);
    std::swap(handle, other.handle);
    return *this;
  }
  ~Owned() {
    if (handle)
      (void)context->call(context->functions().*kDestroy, "freeing", handle);
  }

  Handle get() const { return handle; }
  const std::shared_ptr<const Context>& owner() const { return context; }
  explicit operator bool() const { return handle != Handle{}; }

private:
  std::shared_ptr<const Context> context;
  Handle handle{};
};

} // namespace llcuda::cuda
