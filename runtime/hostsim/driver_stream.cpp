// SPDX-License-Identifier: Apache-2.0
// Streams and events. Work has run when the call that submits it returns, so nothing ever has to be waited for.
#include "runtime/hostsim/driver_state.h"

namespace llcuda::cuda {
namespace {

using hostsim::DriverCall;
using hostsim::DriverState;
using hostsim::EventObject;
using hostsim::Needs;
using hostsim::refuse;
using hostsim::serve;
using hostsim::StreamObject;

CUresult noStream() {
  return refuse(CUDA_ERROR_INVALID_HANDLE, "no such stream");
}
CUresult noEvent() {
  return refuse(CUDA_ERROR_INVALID_HANDLE, "no such event");
}

/// What waits, asks or records events on a stream that captures is refused, and spoils the capture, as on a GPU.
CUresult checkStream(DriverState& state, CUstream handle) {
  StreamObject* stream = state.stream(handle);
  if (!stream)
    return noStream();
  if (!stream->capture)
    return CUDA_SUCCESS;
  stream->captureBroken = true;
  return refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream captures");
}

} // namespace

CUresult cuStreamCreate(CUstream* stream, unsigned) {
  return serve(DriverCall::cuStreamCreate, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    *stream = state.streams.add(std::make_unique<StreamObject>());
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  return serve(DriverCall::cuStreamDestroy_v2, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.streams.remove(stream) ? CUDA_SUCCESS : noStream();
  });
}

CUresult cuStreamSynchronize(CUstream stream) {
  return serve(DriverCall::cuStreamSynchronize, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return checkStream(state, stream);
  });
}

CUresult cuStreamQuery(CUstream stream) {
  return serve(DriverCall::cuStreamQuery, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return checkStream(state, stream);
  });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  return serve(DriverCall::cuStreamWaitEvent, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.events.find(event) ? checkStream(state, stream) : noEvent();
  });
}

CUresult cuEventCreate(CUevent* event, unsigned flags) {
  return serve(DriverCall::cuEventCreate, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    *event = state.events.add(std::make_unique<EventObject>((flags & CU_EVENT_DISABLE_TIMING) == 0));
    return CUDA_SUCCESS;
  });
}

CUresult cuEventDestroy_v2(CUevent event) {
  return serve(DriverCall::cuEventDestroy_v2, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.events.remove(event) ? CUDA_SUCCESS : noEvent();
  });
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  return serve(DriverCall::cuEventRecord, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    EventObject* object = state.events.find(event);
    if (!object)
      return noEvent();
    const CUresult checked = checkStream(state, stream);
    if (checked == CUDA_SUCCESS)
      object->recorded = std::chrono::steady_clock::now();
    return checked;
  });
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return serve(DriverCall::cuEventElapsedTime, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    const EventObject* from = state.events.find(start);
    const EventObject* to = state.events.find(end);
    if (!from || !to)
      return noEvent();
    if (!from->timed || !to->timed || !from->recorded || !to->recorded)
      return refuse(CUDA_ERROR_INVALID_HANDLE, "the events are not timed, or not recorded");
    *milliseconds = std::chrono::duration<float, std::milli>(*to->recorded - *from->recorded).count();
    return CUDA_SUCCESS;
  });
}

CUresult cuEventQuery(CUevent event) {
  return serve(DriverCall::cuEventQuery, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.events.find(event) ? CUDA_SUCCESS : noEvent();
  });
}

CUresult cuEventSynchronize(CUevent event) {
  return serve(DriverCall::cuEventSynchronize, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.events.find(event) ? CUDA_SUCCESS : noEvent();
  });
}

} // namespace llcuda::cuda
