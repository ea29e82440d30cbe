// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/sample_spec.h"

#include "codegen/spec/source_text.h"

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

uint64_t samplePartialBytes(const SampleDesc& desc) {
  return uint64_t{8} * desc.outputs * blocksPerRow(desc);
}

uint32_t sampleArrivals(const SampleDesc& desc) {
  return desc.outputs;
}

LaunchSpec sampleLaunch(const SampleDesc& desc) {
  assert(checkSample(desc));
  const uint32_t blocks = blocksPerRow(desc);
  KernelSpec kernel;
  kernel.op = "sample";
  kernel.format = desc.decode ? "decode" : "prompt";
  kernel.shape = "v" + std::to_string(desc.vocabulary);
  kernel.tile = "b" + std::to_string(blocks) + "_t" + std::to_string(kThreads);
  kernel.header = "codegen/kernels/sample/sample.cuh";
  kernel.params = {{"logits", "const float*", Access::kRead},
                   {"sampling", "llcuda::SamplingParams*", Access::kReadWrite}};
  if (desc.decode) {
    kernel.params.push_back({"tokens", "int*", Access::kWrite});
    kernel.params.push_back({"positions", "int*", Access::kReadWrite});
  } else {
    kernel.params.push_back({"output_rows", "const int*", Access::kRead});
  }
  kernel.params.push_back({"partial", "uint64_t*", Access::kWrite});
  kernel.params.push_back({"arrivals", "uint32_t*", Access::kReadWrite});
  kernel.params.push_back({"sampled", "int*", Access::kWrite});
  kernel.call = "sample<" + listText(desc.vocabulary, blocks) + ">(logits, sampling, " +
                (desc.decode ? "{tokens, positions, nullptr}" : "{nullptr, nullptr, output_rows}") +
                ", partial, arrivals, sampled)";
  kernel.threads = kThreads;
  return {kernel, {blocks, desc.outputs, 1}};
}

} // namespace llcuda::codegen
