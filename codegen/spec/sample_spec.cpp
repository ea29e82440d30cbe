// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/sample_spec.h"

#include <cassert>

#include "codegen/formats/sampling.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kThreads = 512, kLogitsPerBlock = 4096, kMaxVocabulary = 1u << 22;

uint32_t blocksPerRow(const SampleDesc& desc) {
  return (desc.vocabulary + kLogitsPerBlock - 1) / kLogitsPerBlock;
}

} // namespace

Result<void> checkSample(const SampleDesc& desc) {
  if (desc.outputs == 0 || desc.vocabulary == 0 || desc.vocabulary > kMaxVocabulary)
    return unsupported("sampling ", desc.outputs, " rows of ", desc.vocabulary, " logits; the kernel takes up to ",
                       kMaxVocabulary);
  return {};
}

SampleSlotBytes sampleSlotBytes(const SampleDesc& desc) {
  const auto vocabulary = static_cast<int>(desc.vocabulary);
  const uint64_t slots = desc.slots, word = sizeof(uint32_t);
  return {slots * sizeof(SamplerProgram), slots * word * desc.context, slots * sizeof(LogitBias) * kLogitBiases,
          slots * word * static_cast<uint64_t>(dryBreakerWords(vocabulary)),
          slots * word * static_cast<uint64_t>(maskWords(vocabulary))};
}

uint64_t samplePartialBytes(const SampleDesc& desc) {
  return uint64_t{8} * desc.outputs * static_cast<uint64_t>(samplePartials(static_cast<int>(blocksPerRow(desc))));
}

uint32_t sampleArrivals(const SampleDesc& desc) {
  return desc.outputs;
}

LaunchSpec sampleLaunch(const SampleDesc& desc) {
  assert(checkSample(desc));
  const uint32_t blocks = blocksPerRow(desc);
  KernelBuilder kernel("sample", "codegen/kernels/sample/sample.cuh");
  kernel.group("SampleShape", {{"vocabulary", number("v", desc.vocabulary)},
                               {"blocks", number("b", blocks)},
                               {"context", number("c", desc.context)}});
  kernel.input("logits", "const float*").inOut("sampling", "llcuda::SamplingParams*").open();
  kernel.output("tokens", "int*", desc.decode).inOut("positions", "int*", desc.decode);
  kernel.input("slots", "const int*").input("output_rows", "const int*", !desc.decode).close().open();
  kernel.inOut("samplers", "llcuda::SamplerProgram*").inOut("history", "int*");
  kernel.input("logit_biases", "const llcuda::LogitBias*").input("dry_breakers", "const uint32_t*");
  kernel.input("masks", "const uint32_t*").close();
  kernel.output("adjusted", "float*").output("sampling_reports", "llcuda::SamplingReport*");
  kernel.output("partial", "uint64_t*").inOut("arrivals", "uint32_t*").output("sampled", "int*");
  return {kernel.build("sample", kThreads), {blocks, desc.outputs, 1}, workOf(desc)};
}

} // namespace llcuda::codegen
