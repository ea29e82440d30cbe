// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/driver_state.h"

#include <algorithm>
#include <cstring>

#include "runtime/hostsim/driver_errors.h"

namespace llcuda::hostsim {
namespace {

struct Run {
  DriverState& state;

  CUresult operator()(const CopyWork& copy) const {
    std::memmove(copy.to, copy.from, copy.bytes);
    return CUDA_SUCCESS;
  }
  CUresult operator()(const FillWork& fill) const {
    std::memset(fill.to, fill.value, fill.bytes);
    return CUDA_SUCCESS;
  }
  CUresult operator()(const KernelWork& work) const {
    LaunchRequest request;
    request.name = work.kernel->name;
    request.grid = work.grid;
    request.threads = work.threads;
    request.dynamicSharedBytes = work.dynamicSharedBytes;
    request.body = work.kernel->body;
    request.arguments = work.arguments.data();
    request.owner = &state.memory;
    request.describeAddress = [](const void* memory, const void* address) {
      return static_cast<const DeviceMemory*>(memory)->describe(address);
    };
    const Result<void> result = state.executorForLaunch()->launch(request);
    if (result.ok())
      return CUDA_SUCCESS;
    const Error& error = result.error();
    if (error.code == ErrorCode::kUsage)
      return refuse(CUDA_ERROR_INVALID_VALUE, error.message);
    if (error.code == ErrorCode::kOutOfMemory)
      return refuse(CUDA_ERROR_OUT_OF_MEMORY, error.message);
    const std::lock_guard lock(state.mutex);
    state.broken = CUDA_ERROR_LAUNCH_FAILED;
    state.brokenBy = error.message;
    return refuse(CUDA_ERROR_LAUNCH_FAILED, error.message);
  }
};

} // namespace

DriverState& DriverState::instance() {
  static DriverState state;
  return state;
}

StreamObject* DriverState::stream(CUstream handle) {
  return handle ? streams.find(handle) : &nullStream;
}

bool DriverState::capturesHere() const {
  return std::any_of(streams.begin(), streams.end(), [](const auto& entry) {
    return entry.second->capture && entry.second->capturer == std::this_thread::get_id();
  });
}

void DriverState::resetContext() {
  executables.clear();
  graphs.clear();
  events.clear();
  streams.clear();
  modules.clear();
  memory.freeAll();
  broken = CUDA_SUCCESS;
  brokenBy.clear();
}

std::shared_ptr<Executor> DriverState::executorForLaunch() {
  const std::lock_guard lock(mutex);
  if (!executor)
    executor = std::make_shared<Executor>(threadCount);
  return executor;
}

CUcontext primaryContext() {
  static char context;
  return reinterpret_cast<CUcontext>(&context);
}

CUcontext& currentContext() {
  thread_local CUcontext current = nullptr;
  return current;
}

CUresult run(DriverState& state, const Work& work) {
  return std::visit(Run{state}, work);
}

CUresult refuseInCapture(DriverState& state) {
  const std::lock_guard lock(state.mutex);
  if (!state.capturesHere())
    return CUDA_SUCCESS;
  for (const auto& [handle, stream] : state.streams) stream->captureBroken = stream->captureBroken || stream->capture;
  return refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "this thread captures a stream");
}

CUresult submit(DriverState& state, CUstream handle, Work work) {
  {
    const std::lock_guard lock(state.mutex);
    StreamObject* stream = state.stream(handle);
    if (!stream)
      return refuse(CUDA_ERROR_INVALID_HANDLE, "no such stream");
    if (stream->capture) {
      stream->capture->nodes.push_back(std::make_unique<Work>(std::move(work)));
      return CUDA_SUCCESS;
    }
  }
  return run(state, work);
}

} // namespace llcuda::hostsim
