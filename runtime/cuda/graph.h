// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/cuda/context.h"

namespace llcuda::cuda {

/// A graph that the device can run, as often as wanted.
class ExecutableGraph {
public:
  ExecutableGraph() = default;
  ExecutableGraph(std::shared_ptr<const Context> context, CUgraphExec handle) : graph(std::move(context), handle) {}
  CUgraphExec get() const { return graph.get(); }

private:
  Owned<CUgraphExec, &DriverTable::cuGraphExecDestroy> graph;
};

/// Work that was captured from a stream.
class Graph {
public:
  Graph() = default;
  Graph(std::shared_ptr<const Context> context, CUgraph handle) : graph(std::move(context), handle) {}

  Result<size_t> kernelNodes() const;
  Result<ExecutableGraph> instantiate() const;

private:
  Owned<CUgraph, &DriverTable::cuGraphDestroy> graph;
};

} // namespace llcuda::cuda
