// SPDX-License-Identifier: Apache-2.0
// Every op of the dialect, a file per group.
#ifndef LLCUDA_DIALECTS_LLM_LLMOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMOPS_TD

include "dialects/llm/LlmInterfaces.td"
include "dialects/llm/LlmTypes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

include "dialects/llm/LlmSourceOps.td"
include "dialects/llm/LlmNormOps.td"
include "dialects/llm/LlmLinearOps.td"
include "dialects/llm/LlmExpertOps.td"
include "dialects/llm/LlmAttentionOps.td"
include "dialects/llm/LlmStateOps.td"
include "dialects/llm/LlmElementwiseOps.td"
include "dialects/llm/LlmHeadOps.td"
include "dialects/llm/LlmFusedOps.td"

#endif
