// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/kernel_specs.h"

namespace llcuda::emit {
namespace {

codegen::KernelSpec kernelSpec(plan::KernelOp kernel) {
  codegen::KernelSpec spec;
  spec.name = kernel.getSymName().str();
  spec.op = kernel.getOp().str();
  spec.header = kernel.getHeader().str();
  spec.call = kernel.getCall().str();
  spec.threads = static_cast<uint32_t>(kernel.getThreads());
  spec.minBlocksPerSm = static_cast<uint32_t>(kernel.getMinBlocks());
  spec.dynamicSharedBytes = static_cast<uint32_t>(kernel.getDynamicShared());
  for (plan::ParamAttr param : kernel.getParams().getAsRange<plan::ParamAttr>())
    spec.params.push_back(
        {param.getName().str(), param.getType().str(), static_cast<codegen::Access>(param.getAccess())});
  return spec;
}

} // namespace

std::vector<codegen::KernelSpec> kernelSpecs(plan::EngineOp engine) {
  std::vector<codegen::KernelSpec> specs;
  for (plan::KernelOp kernel : engine.getOps<plan::KernelOp>()) specs.push_back(kernelSpec(kernel));
  return specs;
}

} // namespace llcuda::emit
