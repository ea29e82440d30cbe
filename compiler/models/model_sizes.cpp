// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/model_sizes.h"

#include <algorithm>

#include "compiler/models/family_list.h"

namespace llcuda::models {
namespace {

constexpr uint64_t kBesides = 700'000'000;
constexpr double kBytesAWeight = 4.9 / 8;

/// Of layers of the gated delta rule with heads of 128: two matrices a value head, and four positions of what the
/// convolution before it reads.
constexpr uint64_t deltaStates(uint64_t layers, uint64_t keyHeads, uint64_t valueHeads) {
  return layers * (2 * valueHeads * 128 * 128 + 4 * (2 * keyHeads + valueHeads) * 128) * 4;
}

/// Of convolutions over three positions.
constexpr uint64_t convolutionStates(uint64_t layers, uint64_t columns) {
  return layers * 3 * columns * 4;
}

constexpr ModelSize kSizes[] = {
    {&kLlama, "Llama 3.2 1B", 1.24, 16, 512, 131072},
    {&kLlama, "Llama 3.2 3B", 3.21, 28, 1024, 131072},
    {&kLlama, "Llama 3.1 8B", 8.03, 32, 1024, 131072},
    {&kLlama, "SmolLM2 1.7B", 1.71, 24, 2048, 8192},
    {&kMistral, "Mistral 7B v0.3", 7.25, 32, 1024, 32768},
    {&kMistral3, "Ministral 3 3B", 3.43, 26, 1024, 262144},
    {&kMistral3, "Ministral 3 8B", 8.49, 34, 1024, 262144},
    {&kMistral3, "Ministral 3 14B", 13.5, 40, 1024, 262144},
    {&kSmolLm3, "SmolLM3 3B", 3.08, 36, 512, 65536},
    {&kQwen2, "Qwen 2.5 1.5B", 1.54, 28, 256, 32768},
    {&kQwen2, "Qwen 2.5 3B", 3.09, 36, 256, 32768},
    {&kQwen2, "Qwen 2.5 7B", 7.62, 28, 512, 32768},
    {&kQwen2, "Qwen 2.5 14B", 14.8, 48, 1024, 32768},
    {&kQwen2Vl, "Qwen 2.5 VL 3B", 3.09, 36, 256, 128000},
    {&kQwen2Vl, "Qwen 2.5 VL 7B", 7.62, 28, 512, 128000},
    {&kQwen3, "Qwen 3 0.6B", 0.6, 28, 1024, 40960},
    {&kQwen3, "Qwen 3 1.7B", 1.72, 28, 1024, 40960},
    {&kQwen3, "Qwen 3 4B", 4.02, 36, 1024, 40960},
    {&kQwen3, "Qwen 3 8B", 8.19, 36, 1024, 40960},
    {&kQwen3, "Qwen 3 14B", 14.8, 40, 1024, 40960},
    {&kQwen3Vl, "Qwen 3 VL 4B", 4.02, 36, 1024, 262144},
    {&kQwen3Vl, "Qwen 3 VL 8B", 8.19, 36, 1024, 262144},
    {&kQwen35, "Qwen 3.5 4B", 4.21, 8, 1024, 262144, 0, 0, 0, deltaStates(24, 16, 32)},
    {&kQwen35, "Qwen 3.5 9B", 9.0, 8, 1024, 262144, 0, 0, 0, deltaStates(24, 16, 32)},
    {&kQwen35, "Qwen 3.5 27B", 27.0, 16, 1024, 262144, 0, 0, 0, deltaStates(48, 16, 48)},
    {&kLfm2, "LFM 2 350M", 0.35, 6, 512, 128000, 0, 0, 0, convolutionStates(10, 1024)},
    {&kLfm2, "LFM 2 1.2B", 1.17, 6, 512, 128000, 0, 0, 0, convolutionStates(10, 2048)},
    {&kLfm2, "LFM 2 2.6B", 2.57, 8, 512, 128000, 0, 0, 0, convolutionStates(22, 2048)},
    {&kQwen3Moe, "Qwen 3 30B-A3B", 30.5, 48, 512, 40960},
    {&kGptOss, "gpt-oss 20B", 20.9, 24, 512, 131072, 12, 128},
    {&kPhi3, "Phi 3.5 mini", 3.82, 32, 3072, 131072},
    {&kPhi3, "Phi 4", 14.7, 40, 1280, 16384},
    {&kGemma, "Gemma 7B", 8.54, 28, 4096, 8192},
    {&kGemma2, "Gemma 2 2B", 2.61, 26, 1024, 8192, 13, 4096},
    {&kGemma2, "Gemma 2 9B", 9.24, 42, 2048, 8192, 21, 4096},
    {&kGemma3, "Gemma 3 1B", 1.0, 26, 256, 32768, 22, 512},
    {&kGemma3, "Gemma 3 4B", 3.88, 34, 1024, 131072, 29, 1024},
    {&kGemma3, "Gemma 3 12B", 11.8, 48, 2048, 131072, 40, 1024},
    {&kGemma4, "Gemma 4 E2B", 4.7, 15, 512, 131072, 12, 512, 256},
    {&kGemma4, "Gemma 4 E4B", 7.5, 24, 1024, 131072, 20, 512, 512},
    {&kGemma4, "Gemma 4 12B", 11.8, 48, 512, 131072, 40, 1024, 2048},
    {&kGranite, "Granite 3.3 2B", 2.53, 40, 512, 131072},
    {&kGranite, "Granite 3.3 8B", 8.17, 40, 1024, 131072},
    {&kGraniteMoe, "Granite 3.1 1B-A400M", 1.33, 24, 512, 131072},
    {&kGraniteMoe, "Granite 3.1 3B-A800M", 3.3, 32, 512, 131072},
    {&kGraniteHybrid, "Granite 4.0 micro 3B", 3.4, 40, 512, 131072},
    {&kErnie45, "ERNIE 4.5 0.3B", 0.36, 18, 256, 131072},
    {&kPaddleOcr, "PaddleOCR-VL 0.9B", 0.36, 18, 256, 131072},
    {&kOlmo2, "OLMo 2 1B", 1.48, 16, 2048, 4096},
    {&kOlmo2, "OLMo 2 7B", 7.3, 32, 4096, 4096},
    {&kOlmo2, "OLMo 2 13B", 13.7, 40, 5120, 4096},
    {&kOlmo3, "OLMo 3 7B", 7.3, 32, 4096, 65536, 24, 4096},
    {&kExaone4, "EXAONE 4.0 1.2B", 1.28, 30, 512, 65536},
    {&kExaone4, "EXAONE 4.0 32B", 32.0, 64, 1024, 131072, 48, 4096},
    {&kBert, "BGE base v1.5", 0.109, 12, 768, 512},
    {&kBert, "BGE large v1.5", 0.335, 24, 1024, 512},
    {&kXlmRoberta, "BGE M3", 0.568, 24, 1024, 8192},
    {&kModernBert, "ModernBERT base", 0.149, 22, 768, 8192},
    {&kModernBert, "ModernBERT large", 0.395, 28, 1024, 8192},
    {&kGemmaEmbedding, "EmbeddingGemma 300M", 0.303, 24, 256, 2048},
};

/// Keys and values of `context` positions, two bytes an element.
uint64_t cacheBytes(const ModelSize& size, uint64_t context) {
  const uint64_t local = std::min<uint64_t>(context, size.window);
  const uint64_t localColumns = size.localColumns != 0 ? size.localColumns : size.kvColumns;
  return (size.localLayers * local * localColumns + (size.layers - size.localLayers) * context * size.kvColumns) * 4;
}

} // namespace

std::span<const ModelSize> modelSizes() {
  return kSizes;
}

uint64_t weightBytes(const ModelSize& size) {
  return static_cast<uint64_t>(size.parameters * 1e9 * kBytesAWeight);
}

uint32_t contextThatFits(const ModelSize& size, uint64_t bytes) {
  const uint64_t taken = weightBytes(size) + size.states + kBesides;
  uint32_t context = taken < bytes ? size.context : 0;
  while (context > 0 && taken + cacheBytes(size, context) > bytes) context -= std::min<uint32_t>(context, 1024);
  return context;
}

} // namespace llcuda::models
