// SPDX-License-Identifier: Apache-2.0
#include "runtime/cuda/graph.h"

#include <vector>

namespace llcuda::cuda {

Result<size_t> Graph::kernelNodes() const {
  constexpr std::string_view kPurpose = "counting the nodes of a graph";
  const Context& context = *graph.owner();
  size_t count = 0;
  LLCUDA_RETURN_IF_ERROR(context.call(context.functions().cuGraphGetNodes, kPurpose, graph.get(),
                                      static_cast<CUgraphNode*>(nullptr), &count));
  std::vector<CUgraphNode> nodes(count);
  if (count != 0)
    LLCUDA_RETURN_IF_ERROR(
        context.call(context.functions().cuGraphGetNodes, kPurpose, graph.get(), nodes.data(), &count));
  size_t kernels = 0;
  for (const CUgraphNode node : nodes) {
    CUgraphNodeType type{};
    LLCUDA_RETURN_IF_ERROR(context.call(context.functions().cuGraphNodeGetType, kPurpose, node, &type));
    kernels += type == CU_GRAPH_NODE_TYPE_KERNEL;
  }
  return kernels;
}

Result<ExecutableGraph> Graph::instantiate() const {
  const Context& context = *graph.owner();
  CUgraphExec handle = nullptr;
  LLCUDA_RETURN_IF_ERROR(context.call(context.functions().cuGraphInstantiateWithFlags, "instantiating a graph", &handle,
                                      graph.get(), 0ull));
  return ExecutableGraph(graph.owner(), handle);
}

} // namespace llcuda::cuda
