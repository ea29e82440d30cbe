// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runtime/hostsim/driver_state.h"

namespace llcuda::cuda {
namespace {

using hostsim::DriverCall;
using hostsim::DriverState;
using hostsim::ExecutableObject;
using hostsim::GraphObject;
using hostsim::Needs;
using hostsim::refuse;
using hostsim::serve;
using hostsim::StreamObject;
using hostsim::Work;

CUresult noGraph() {
  return refuse(CUDA_ERROR_INVALID_HANDLE, "no such graph");
}

const Work* findNode(const DriverState& state, CUgraphNode node) {
  for (const auto& [handle, graph] : state.graphs)
    for (const auto& work : graph->nodes)
      if (reinterpret_cast<CUgraphNode>(work.get()) == node)
        return work.get();
  return nullptr;
}

} // namespace

CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode) {
  return serve(DriverCall::cuStreamBeginCapture_v2, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    StreamObject* stream = state.streams.find(handle);
    if (!stream)
      return refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "no such stream, or the null stream");
    if (stream->capture)
      return refuse(CUDA_ERROR_INVALID_VALUE, "the stream captures already");
    stream->capture = std::make_unique<GraphObject>();
    stream->capturer = std::this_thread::get_id();
    stream->captureBroken = false;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  return serve(DriverCall::cuStreamEndCapture, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    StreamObject* stream = state.streams.find(handle);
    if (!stream || !stream->capture)
      return refuse(CUDA_ERROR_INVALID_VALUE, "the stream does not capture");
    auto captured = std::move(stream->capture);
    *graph = nullptr;
    if (stream->captureBroken)
      return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "a call that is not permitted was made while it captured");
    *graph = state.graphs.add(std::move(captured));
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  return serve(DriverCall::cuGraphGetNodes, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    const GraphObject* graph = state.graphs.find(handle);
    if (!graph)
      return noGraph();
    if (nodes) {
      *count = std::min(*count, graph->nodes.size());
      for (size_t i = 0; i < *count; ++i) nodes[i] = reinterpret_cast<CUgraphNode>(graph->nodes[i].get());
    } else {
      *count = graph->nodes.size();
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  return serve(DriverCall::cuGraphNodeGetType, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    const Work* work = findNode(state, node);
    if (!work)
      return refuse(CUDA_ERROR_INVALID_HANDLE, "no such graph node");
    constexpr CUgraphNodeType kTypes[] = {CU_GRAPH_NODE_TYPE_KERNEL, CU_GRAPH_NODE_TYPE_MEMCPY,
                                          CU_GRAPH_NODE_TYPE_MEMSET}; // in the order of Work
    *type = kTypes[work->index()];
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph handle, unsigned long long flags) {
  return serve(DriverCall::cuGraphInstantiateWithFlags, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    const GraphObject* graph = state.graphs.find(handle);
    if (!graph)
      return noGraph();
    if (flags != 0)
      return refuse(CUDA_ERROR_NOT_SUPPORTED, "hostsim instantiates graphs without flags");
    auto object = std::make_unique<ExecutableObject>();
    for (const auto& work : graph->nodes) object->nodes.push_back(*work);
    *executable = state.executables.add(std::move(object));
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream) {
  return serve(DriverCall::cuGraphLaunch, Needs::kContext, [&](DriverState& state) {
    const ExecutableObject* executable = nullptr;
    {
      const std::lock_guard lock(state.mutex);
      executable = state.executables.find(handle);
      if (!executable)
        return refuse(CUDA_ERROR_INVALID_HANDLE, "no such executable graph");
      const StreamObject* target = state.stream(stream);
      if (!target)
        return refuse(CUDA_ERROR_INVALID_HANDLE, "no such stream");
      if (target->capture)
        return refuse(CUDA_ERROR_NOT_SUPPORTED, "hostsim has no graphs within graphs");
    }
    for (const Work& work : executable->nodes)
      if (const CUresult result = run(state, work); result != CUDA_SUCCESS)
        return result;
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
  return serve(DriverCall::cuGraphExecDestroy, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.executables.remove(executable) ? CUDA_SUCCESS : noGraph();
  });
}

CUresult cuGraphDestroy(CUgraph graph) {
  return serve(DriverCall::cuGraphDestroy, Needs::kContext, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    return state.graphs.remove(graph) ? CUDA_SUCCESS : noGraph();
  });
}

} // namespace llcuda::cuda
