// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/log_probabilities_spec.h"

#include <cassert>

#include "codegen/formats/token_score.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kThreads = 512, kLogitsPerBlock = 4096, kMaxVocabulary = 1u << 22;

uint32_t blocksPerRow(const LogProbabilitiesDesc& desc) {
  return divideUp(desc.vocabulary, kLogitsPerBlock);
}

} // namespace

Result<void> checkLogProbabilities(const LogProbabilitiesDesc& desc) {
  if (desc.outputs == 0 || desc.vocabulary == 0 || desc.vocabulary > kMaxVocabulary)
    return unsupported("log-probabilities of ", desc.outputs, " rows of ", desc.vocabulary,
                       " logits; the kernel takes up to ", kMaxVocabulary);
  return {};
}

uint64_t logProbabilitiesPartialBytes(const LogProbabilitiesDesc& desc) {
  return sizeof(ScoreShare) * desc.outputs * blocksPerRow(desc);
}

LaunchSpec logProbabilitiesLaunch(const LogProbabilitiesDesc& desc) {
  assert(checkLogProbabilities(desc));
  const uint32_t blocks = blocksPerRow(desc);
  KernelBuilder kernel("log_probabilities", "codegen/kernels/sample/log_probabilities.cuh");
  kernel.group("ScoreShape", {{"vocabulary", number("v", desc.vocabulary)}, {"blocks", number("b", blocks)}});
  kernel.input("logits", "const float*").input("scored", "const int*").output("partial", "llcuda::ScoreShare*");
  kernel.inOut("arrivals", "uint32_t*").output("scores", "llcuda::TokenScore*");
  return {kernel.build("logProbabilities", kThreads), {blocks, desc.outputs, 1}, workOf(desc)};
}

} // namespace llcuda::codegen
