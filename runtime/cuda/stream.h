// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "runtime/cuda/context.h"
#include "runtime/cuda/graph.h"
#include "runtime/cuda/module.h"

namespace llcuda::cuda {

struct Grid {
  uint32_t x = 1, y = 1, z = 1;
};

/// A point in the work of a stream.
class Event {
public:
  static Result<Event> create(std::shared_ptr<const Context> context);
  /// One that nanosecondsBetween() can be asked about.
  static Result<Event> createTimed(std::shared_ptr<const Context> context);
  Event() = default;

  /// Whether the work before the last record is done; true when nothing was recorded.
  Result<bool> done() const;
  Result<void> synchronize() const;
  CUevent get() const { return event.get(); }
  const Context& context() const { return *event.owner(); }

private:
  static Result<Event> create(std::shared_ptr<const Context> context, unsigned flags);

  Owned<CUevent, &DriverTable::cuEventDestroy_v2> event;
};

/// Of the device's clock, as exact as that is; both events are timed, recorded and done.
Result<double> nanosecondsBetween(const Event& start, const Event& stop);

/// Work in order. Copies and launches return before they are done; an error of earlier work may come from any later
/// call. Host memory of a copy stays as it is until the stream is synchronized.
class Stream {
public:
  static constexpr size_t kMaxParameters = 64; ///< of a kernel

  static Result<Stream> create(std::shared_ptr<const Context> context);
  Stream() = default;

  Result<void> copyToDevice(CUdeviceptr to, std::span<const std::byte> from) const;
  Result<void> copyToHost(std::span<std::byte> to, CUdeviceptr from) const;
  Result<void> copyOnDevice(CUdeviceptr to, CUdeviceptr from, uint64_t bytes) const;
  Result<void> fill(CUdeviceptr to, uint8_t value, uint64_t bytes) const;

  /// Every parameter of the kernel is a device pointer.
  Result<void> launch(const Function& function, Grid grid, uint32_t threads, uint32_t dynamicSharedBytes,
                      std::span<const CUdeviceptr> parameters) const;
  Result<void> launch(const ExecutableGraph& graph) const;

  Result<void> record(const Event& event) const;
  Result<void> wait(const Event& event) const;
  Result<void> synchronize() const;
  /// Whether all work is done.
  Result<bool> done() const;

  /// Until endCapture, work is recorded and not run. Other threads may go on as usual.
  Result<void> beginCapture() const;
  Result<Graph> endCapture() const;

private:
  const Context& context() const { return *stream.owner(); }

  Owned<CUstream, &DriverTable::cuStreamDestroy_v2> stream;
};

} // namespace llcuda::cuda
