// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/kernel_specs.h"

#include "llvm/ADT/StringExtras.h"

namespace llcuda::emit {
namespace {

codegen::KernelSpec kernelSpec(plan::KernelOp kernel) {
  // The verifier of plan.kernel has seen that the name has these four parts.
  llvm::SmallVector<llvm::StringRef, 4> parts;
  kernel.getSymName().split(parts, "__");
  assert(parts.size() == 4);
  codegen::KernelSpec spec;
  spec.op = parts[0].str();
  spec.format = parts[1].str();
  spec.shape = parts[2].str();
  spec.tile = parts[3].str();
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
