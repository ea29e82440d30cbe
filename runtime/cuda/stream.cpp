// SPDX-License-Identifier: Apache-2.0
#include "runtime/cuda/stream.h"

#include <array>

namespace llcuda::cuda {
namespace {

/// cuStreamQuery and cuEventQuery answer "not ready" as an error.
template <typename Function, typename Handle>
Result<bool> query(const Context& context, const Function& function, Handle handle) {
  LLCUDA_RETURN_IF_ERROR(context.makeCurrent());
  const CUresult answer = function.call(handle);
  if (answer == CUDA_SUCCESS)
    return true;
  if (answer == CUDA_ERROR_NOT_READY)
    return false;
  return context.driver().failed(function.name, answer, "looking for finished work");
}

} // namespace

Result<double> nanosecondsBetween(const Event& start, const Event& stop) {
  float milliseconds = 0;
  LLCUDA_RETURN_IF_ERROR(start.context().call(start.context().functions().cuEventElapsedTime, "reading a time",
                                              &milliseconds, start.get(), stop.get()));
  return static_cast<double>(milliseconds) * 1e6;
}

Result<Event> Event::create(std::shared_ptr<const Context> context) {
  return create(std::move(context), CU_EVENT_DISABLE_TIMING);
}

Result<Event> Event::createTimed(std::shared_ptr<const Context> context) {
  return create(std::move(context), CU_EVENT_DEFAULT);
}

Result<Event> Event::create(std::shared_ptr<const Context> context, unsigned flags) {
  CUevent handle = nullptr;
  LLCUDA_RETURN_IF_ERROR(context->call(context->functions().cuEventCreate, "creating an event", &handle, flags));
  Event event;
  event.event = {std::move(context), handle};
  return event;
}

Result<bool> Event::done() const {
  return query(*event.owner(), event.owner()->functions().cuEventQuery, event.get());
}

Result<void> Event::synchronize() const {
  return event.owner()->call(event.owner()->functions().cuEventSynchronize, "waiting for an event", event.get());
}

Result<Stream> Stream::create(std::shared_ptr<const Context> context) {
  CUstream handle = nullptr;
  LLCUDA_RETURN_IF_ERROR(
      context->call(context->functions().cuStreamCreate, "creating a stream", &handle, CU_STREAM_NON_BLOCKING));
  Stream stream;
  stream.stream = {std::move(context), handle};
  return stream;
}

Result<void> Stream::copyToDevice(CUdeviceptr to, std::span<const std::byte> from) const {
  return context().call(context().functions().cuMemcpyHtoDAsync_v2, "copying to the device", to,
                        static_cast<const void*>(from.data()), from.size(), stream.get());
}

Result<void> Stream::copyToHost(std::span<std::byte> to, CUdeviceptr from) const {
  return context().call(context().functions().cuMemcpyDtoHAsync_v2, "copying from the device",
                        static_cast<void*>(to.data()), from, to.size(), stream.get());
}

Result<void> Stream::copyOnDevice(CUdeviceptr to, CUdeviceptr from, uint64_t bytes) const {
  return context().call(context().functions().cuMemcpyDtoDAsync_v2, "copying on the device", to, from,
                        static_cast<size_t>(bytes), stream.get());
}

Result<void> Stream::fill(CUdeviceptr to, uint8_t value, uint64_t bytes) const {
  return context().call(context().functions().cuMemsetD8Async, "filling device memory", to, value,
                        static_cast<size_t>(bytes), stream.get());
}

Result<void> Stream::launch(const Function& function, Grid grid, uint32_t threads, uint32_t dynamicSharedBytes,
                            std::span<const CUdeviceptr> parameters) const {
  if (parameters.size() > kMaxParameters)
    return unsupported(function.name, " has ", parameters.size(), " parameters, ", kMaxParameters, " are possible");
  std::array<void*, kMaxParameters> pointers;
  for (size_t i = 0; i < parameters.size(); ++i) pointers[i] = const_cast<CUdeviceptr*>(&parameters[i]);
  return context().call(context().functions().cuLaunchKernel, function.name, function.handle, grid.x, grid.y, grid.z,
                        threads, 1u, 1u, dynamicSharedBytes, stream.get(), pointers.data(),
                        static_cast<void**>(nullptr));
}

Result<void> Stream::launch(const ExecutableGraph& graph) const {
  return context().call(context().functions().cuGraphLaunch, "running a graph", graph.get(), stream.get());
}

Result<void> Stream::record(const Event& event) const {
  return context().call(context().functions().cuEventRecord, "recording an event", event.get(), stream.get());
}

Result<void> Stream::wait(const Event& event) const {
  return context().call(context().functions().cuStreamWaitEvent, "waiting for an event", stream.get(), event.get(), 0u);
}

Result<void> Stream::synchronize() const {
  return context().call(context().functions().cuStreamSynchronize, "waiting for the device", stream.get());
}

Result<bool> Stream::done() const {
  return query(context(), context().functions().cuStreamQuery, stream.get());
}

Result<void> Stream::beginCapture() const {
  return context().call(context().functions().cuStreamBeginCapture_v2, "capturing a graph", stream.get(),
                        CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
}

Result<Graph> Stream::endCapture() const {
  CUgraph handle = nullptr;
  LLCUDA_RETURN_IF_ERROR(
      context().call(context().functions().cuStreamEndCapture, "capturing a graph", stream.get(), &handle));
  return Graph(stream.owner(), handle);
}

} // namespace llcuda::cuda
