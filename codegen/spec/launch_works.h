// SPDX-License-Identifier: Apache-2.0
// What the launches of codegen/spec move and compute: codegen/formats/launch_work.h. One formula for each description.
#pragma once

#include "codegen/formats/launch_work.h"
#include "codegen/spec/attention_spec.h"
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/expert_spec.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/log_probabilities_spec.h"
#include "codegen/spec/low_rank_spec.h"
#include "codegen/spec/rope_spec.h"
#include "codegen/spec/rows_spec.h"
#include "codegen/spec/sample_spec.h"
#include "codegen/spec/state_spec.h"

namespace llcuda::codegen {

LaunchWork workOf(const LinearDesc& desc);
LaunchWork workOf(const LowRankDesc& desc);
/// Of one row after another, or of blocks of rows.
LaunchWork decodeWorkOf(const AttentionDesc& desc);
LaunchWork promptWorkOf(const AttentionDesc& desc);
LaunchWork workOf(const HeadRowsDesc& desc);
LaunchWork workOf(const RopeCacheDesc& desc);
LaunchWork workOf(const RmsNormDesc& desc);
LaunchWork workOf(const LayerNormDesc& desc);
LaunchWork workOf(const PostNormDesc& desc);
LaunchWork workOf(const QuantizeDesc& desc);
LaunchWork workOf(const HalfRowsDesc& desc);
LaunchWork workOf(const GluDesc& desc);
LaunchWork workOf(const ActivateDesc& desc);
LaunchWork workOf(const EmbeddingDesc& desc);
LaunchWork workOf(const RouteDesc& desc);
LaunchWork workOf(const SortChoicesDesc& desc);
LaunchWork workOf(const SortedRowsDesc& desc);
/// Of experts the weights of those that any row chose, each once: what few rows that share one read again is not
/// counted.
LaunchWork workOf(const ExpertLinearDesc& desc);
LaunchWork workOf(const ExpertGluDesc& desc);
LaunchWork workOf(const ExpertSumDesc& desc);
/// Of states what each row reads and writes where rows are sequences of their own, else that of one sequence.
LaunchWork workOf(const ShortConvDesc& desc);
LaunchWork workOf(const DeltaRuleDesc& desc);
LaunchWork workOf(const SampleDesc& desc);
LaunchWork workOf(const LogProbabilitiesDesc& desc);
/// Of a launch that reads `inputs` elements for each that it writes.
LaunchWork elementsWork(const ElementsDesc& desc, uint32_t inputs);

} // namespace llcuda::codegen
