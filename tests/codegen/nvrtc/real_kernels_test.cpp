// SPDX-License-Identifier: Apache-2.0
// Every kind of kernel, for the shapes of a small and of a large model and for every weight layout, compiles for a T4,
// spills nothing, and fits the registers and the shared memory of its block. With every commit a few layouts, one of
// each kind (f16 rows, int8 rows with and without minimums, tables), nightly all.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/nvrtc/compile_kernels.h"
#include "codegen/pack/pack.h"
#include "codegen/sass/sass_listing.h"
#include "codegen/spec/attention_spec.h"
#include "codegen/spec/edits_spec.h"
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/expert_spec.h"
#include "codegen/spec/log_probabilities_spec.h"
#include "codegen/spec/rope_spec.h"
#include "codegen/spec/rows_spec.h"
#include "codegen/spec/sample_spec.h"
#include "codegen/spec/state_spec.h"
#include "tests/codegen/linear_descs.h"
#include "tests/codegen/nvrtc/build_options.h"
#include "tests/nightly.h"

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;

struct Shape {
  const char* name;
  uint32_t embedding, feedForward, heads, kvHeads, headSize, vocabulary, context;
};

/// How a failing test shows its parameter.
void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.name;
}

constexpr Shape kSmolLm2 = {"SmolLM2_135M", 576, 1536, 9, 3, 64, 49152, 8192};
constexpr Shape kLlama8b = {"Llama_8B", 4096, 14336, 32, 8, 128, 128256, 8192};

void addLayout(std::vector<KernelSpec>& specs, const Shape& s, WeightLayout layout, uint32_t rows) {
  const bool int8 = weightReadsInt8Rows(layout);
  const NormRows normed = {.eps = 1e-5f, .f32Rows = !int8, .int8Rows = int8};
  const GateRows gated = {.f32Rows = !int8, .int8Rows = int8};
  const RopeCacheRows cached = {.headSize = s.headSize, .dimensions = s.headSize, .cache = {.maxContext = s.context}};
  for (const LinearDesc& desc :
       {linearOf(layout, rows, s.embedding, s.vocabulary), linearOf(layout, rows, s.feedForward, s.embedding, normed),
        linearOf(layout, rows, s.embedding, s.embedding, StoreRows{.residual = true}),
        linearOf(layout, rows, s.feedForward, s.embedding, StoreRows{.residual = true}),
        gluOf(layout, rows, s.embedding, s.feedForward, gated),
        qkvOf(layout, layout, rows, s.embedding, s.heads * s.headSize, s.kvHeads * s.headSize, cached)})
    specs.push_back(linearLaunch(desc).kernel);
}

/// What decode and prompt phases of one shape launch.
std::vector<KernelSpec> kernelsOf(const Shape& s, WeightLayout layout) {
  constexpr uint32_t kChunk = 256;
  const bool int8 = weightReadsInt8Rows(layout);
  std::vector<KernelSpec> specs;
  addLayout(specs, s, layout, 1);
  addLayout(specs, s, layout, 4);
  const AttentionDesc attention = {.rows = 1,
                                   .heads = s.heads,
                                   .kvHeads = s.kvHeads,
                                   .headSize = s.headSize,
                                   .cache = {.maxContext = s.context},
                                   .scale = 0.125f,
                                   .f32Rows = !int8,
                                   .int8Rows = int8};
  AttentionDesc prompt = attention;
  prompt.rows = kChunk;
  AttentionDesc batch = attention;
  batch.rows = 32;
  batch.order = RowOrder::kFragments;
  specs.push_back(attentionDecodeLaunch(attention).kernel);
  specs.push_back(attentionDecodeLaunch(batch).kernel);
  specs.push_back(attentionPromptLaunch(prompt).kernel);
  specs.push_back(
      linearLaunch(manyRows(linearOf(layout, kChunk, s.feedForward, s.embedding, StoreRows{.residual = true}))).kernel);
  specs.push_back(ropeCacheLaunch({.rows = kChunk,
                                   .heads = s.heads,
                                   .kvHeads = s.kvHeads,
                                   .headSize = s.headSize,
                                   .turn = {.dimensions = s.headSize},
                                   .cache = {.maxContext = s.context}})
                      .kernel);
  specs.push_back(rmsNormLaunch({kChunk, s.embedding, 1e-5f, false, !int8, int8, RowOrder::kFragments}).kernel);
  specs.push_back(gluLaunch({kChunk, s.feedForward, Activation::kSilu, !int8, int8, RowOrder::kFragments}).kernel);
  if (layout == WeightLayout::kF16Rows)
    specs.push_back(halfRowsLaunch({kChunk, s.feedForward}).kernel);
  specs.push_back(embeddingLaunch({layout, 1, s.embedding, s.vocabulary, 1.f}).kernel);
  specs.push_back(sampleLaunch({1, s.vocabulary, 1, 4096, true}).kernel);
  specs.push_back(logProbabilitiesLaunch({1, s.vocabulary}).kernel);
  specs.push_back(sumRowsLaunch({8, s.embedding}, 64).kernel);
  return specs;
}

/// What Gemma 3 4B, Qwen 3 8B and Phi 4 mini launch besides.
std::vector<KernelSpec> kernelsOfFamilies() {
  constexpr auto kLayout = WeightLayout::kQ4_1Planes;
  const HeadTurnDesc gemma = {.dimensions = 256, .norm = true, .eps = 1e-6f}, phi = {.dimensions = 96, .halves = true};
  std::vector<KernelSpec> specs;
  for (const uint32_t rows : {1u, 4u, 8u}) {
    specs.push_back(
        linearLaunch(linearOf(kLayout, rows, 10240, 2560, NormRows{.postNorm = true, .eps = 1e-6f})).kernel);
    specs.push_back(linearLaunch(biased(qkvOf(kLayout, WeightLayout::kQ8_0Planes, rows, 4096, 4096, 1024))).kernel);
  }
  for (const bool prompt : {false, true}) {
    const uint32_t rows = prompt ? 256 : 1;
    for (const HeadTurnDesc& turn : {gemma, phi})
      specs.push_back(ropeCacheLaunch({.rows = rows,
                                       .heads = 8,
                                       .kvHeads = 4,
                                       .headSize = turn.norm ? 256u : 128u,
                                       .turn = turn,
                                       .f16Queries = prompt,
                                       .cache = {.maxContext = 8192}})
                          .kernel);
    specs.push_back(postNormLaunch({.rows = rows,
                                    .columns = 2560,
                                    .eps = 1e-6f,
                                    .f32Rows = false,
                                    .int8Rows = true,
                                    .order = prompt ? RowOrder::kFragments : fewRowsOrder(rows)})
                        .kernel);
    specs.push_back(quantizeLaunch({rows, 2560, prompt ? RowOrder::kFragments : fewRowsOrder(rows)}).kernel);
  }
  specs.push_back(linearLaunch(linearOf(kLayout, 1, 2560, 262144, StoreRows{.softcap = 30})).kernel);
  specs.push_back(headRowsLaunch({.heads = 8, .headSize = 256, .turn = gemma, .f16Rows = true}).kernel);
  specs.push_back(addLaunch({256, 2560}).kernel);
  specs.push_back(scaleLaunch({256, 2560}, 50.f).kernel);
  specs.push_back(softcapLaunch({1, 262144}, 30.f).kernel);
  specs.push_back(pickRowsLaunch({1, 2560}).kernel);
  specs.push_back(applyEditsLaunch({64, 2}).kernel);
  return specs;
}

/// The linears of tensor cores of a layout, in the tiles of a large model.
std::vector<KernelSpec> promptKernelsOf(WeightLayout layout) {
  const bool int8 = weightReadsInt8Rows(layout);
  const GateRows gated = {.f32Rows = !int8, .int8Rows = int8};
  std::vector<LinearDesc> descs = {linearOf(layout, 512, 4096, 4096, StoreRows{.residual = true}),
                                   gluOf(layout, 512, 4096, 14336, gated)};
  const WeightLayout inAllTiles[] = {WeightLayout::kF16Rows, WeightLayout::kQ2_KPlanes, WeightLayout::kQ4_KPlanes,
                                     WeightLayout::kNf4Planes};
  if (std::ranges::find(inAllTiles, layout) != std::end(inAllTiles)) {
    descs.push_back(gluOf(layout, 32, 4096, 14336, gated));
    for (const uint32_t rows : {16u, 32u, 48u, 64u}) descs.push_back(linearOf(layout, rows, 4096, 1024));
    descs.push_back(qkvOf(layout, int8 ? WeightLayout::kQ6_KPlanes : layout, 512, 2048, 2048, 512));
    descs.push_back(qkvOf(layout, WeightLayout::kQ6_KPlanes, 512, 4096, 4096, 1024)); // f16 rows beside int8 rows
  }
  std::vector<KernelSpec> specs;
  for (const LinearDesc& desc : descs) specs.push_back(linearLaunch(manyRows(desc)).kernel);
  return specs;
}

/// Bytes of machine code in a cubin: no loop is larger. It is an ELF file of 64 bits.
uint64_t codeBytes(const std::string& cubin) {
  const auto read = [&]<typename T>(uint64_t at, T) {
    T value;
    std::memcpy(&value, cubin.data() + at, sizeof value);
    return uint64_t{value};
  };
  const uint64_t sections = read(0x28, uint64_t{}), size = read(0x3a, uint16_t{}), count = read(0x3c, uint16_t{});
  uint64_t bytes = 0;
  for (uint64_t section = sections; section < sections + count * size; section += size)
    if (read(section + 8, uint64_t{}) & 4) // executable
      bytes += read(section + 32, uint64_t{});
  return bytes;
}

constexpr uint64_t kInstructionCache = 46 * 1024; ///< of a multiprocessor; what loops beyond it comes from L2

/// NVIDIA's disassembler in the Python environment beside NVRTC.
std::string nvdisasm() {
  const char* environment = std::getenv("VIRTUAL_ENV");
  std::error_code ignored;
  for (const auto& python : fs::directory_iterator((environment ? environment : "") + std::string("/lib"), ignored))
    if (const auto file = python.path() / "site-packages/nvidia/cu13/bin/nvdisasm"; fs::exists(file, ignored))
      return file;
  return "nvdisasm";
}

/// Whether a loop of the machine code reads or writes registers that were spilled. What is spilled before a loop and
/// read after it costs nothing. A decode linear whose slices are one turn has no loop.
void expectLoopsWithoutSpills(const std::string& cubin) {
  const auto listing = disassemble(nvdisasm(), std::as_bytes(std::span(cubin)));
  ASSERT_TRUE(listing) << listing.error().message;
  for (const SassLoop& loop : listing->loops)
    for (size_t i = loop.first; i <= loop.last; ++i) {
      EXPECT_NE(listing->instructions[i].name(), "LDL") << "at " << listing->instructions[i].address;
      EXPECT_NE(listing->instructions[i].name(), "STL") << "at " << listing->instructions[i].address;
    }
}

void expectNoSpills(const std::vector<KernelSpec>& specs) {
  const auto compiled = compileKernels(specs, buildOptions());
  ASSERT_TRUE(compiled) << compiled.error().message;
  for (size_t i = 0; i < specs.size(); ++i) {
    const CompiledKernel& kernel = compiled->kernels[i];
    SCOPED_TRACE(specs[i].name);
    const bool tensorCores = specs[i].op.ends_with("linear_prompt") || specs[i].op == "qkv_prompt";
    const bool isLinear = specs[i].op.find("linear") != std::string::npos || specs[i].op.starts_with("qkv");
    if (isLinear && kernel.spillBytes != 0) {
      EXPECT_LE(kernel.spillBytes, 32u);
      expectLoopsWithoutSpills(kernel.cubin);
    } else {
      EXPECT_EQ(kernel.spillBytes, 0u);
    }
    EXPECT_EQ(kernel.log, "");
    EXPECT_LE(kernel.registers * specs[i].threads * specs[i].minBlocksPerSm, 65536u);
    EXPECT_LE((kernel.staticSharedBytes + specs[i].dynamicSharedBytes) * specs[i].minBlocksPerSm, 65536u);
    EXPECT_LE(kernel.staticSharedBytes, 49152u) << "the limit of what a launch need not ask for";
    // Layouts that differ have loops of their own.
    const uint64_t loops = specs[i].op == "qkv_prompt" ? 2 : 1;
    if (tensorCores) {
      EXPECT_LE(codeBytes(kernel.cubin), loops * kInstructionCache);
    }
  }
}

class RealKernels : public testing::TestWithParam<std::tuple<Shape, WeightLayout>> {};

TEST_P(RealKernels, CompileWithoutSpillsForAT4) {
  const auto& [shape, layout] = GetParam();
  expectNoSpills(kernelsOf(shape, layout));
}

class DecodeKernels : public testing::TestWithParam<WeightLayout> {};

// What a decode step launches, of the layouts that are not above: for one row and for eight.
TEST_P(DecodeKernels, CompileWithoutSpillsForAT4) {
  const WeightLayout layout = GetParam();
  std::vector<KernelSpec> specs;
  addLayout(specs, kLlama8b, layout, 1);
  specs.push_back(
      linearLaunch(linearOf(layout, 8, kLlama8b.embedding, kLlama8b.embedding, StoreRows{.residual = true})).kernel);
  specs.push_back(embeddingLaunch({layout, 1, kLlama8b.embedding, kLlama8b.vocabulary, 1.f}).kernel);
  expectNoSpills(specs);
}

TEST(KernelsOfFamilies, CompileWithoutSpillsForAT4) {
  expectNoSpills(kernelsOfFamilies());
}

// Of 128 and of 32 experts, and as many as there can be; weights without int8 rows too.
TEST(KernelsOfExperts, CompileWithoutSpillsForAT4) {
  std::vector<KernelSpec> specs = {routeLaunch({1, 128, 8, true}).kernel, routeLaunch({1, 1024, 32, false}).kernel,
                                   expertSumLaunch({1, 8, 2048}).kernel};
  const auto add = [&](WeightLayout layout, uint32_t experts, uint32_t choices, uint32_t inputs, uint32_t outputs,
                       bool each) {
    specs.push_back(expertLinearLaunch({layout, 1, experts, choices, inputs, outputs, each, each}).kernel);
    for (const uint32_t tileRows : {16u, 32u, 64u})
      specs.push_back(
          expertLinearLaunch({layout, 512, experts, choices, inputs, outputs, each, each, tileRows}).kernel);
  };
  const auto addGlu = [&](WeightLayout layout, uint32_t experts, uint32_t choices, uint32_t inputs, uint32_t outputs,
                          bool bias) {
    ExpertGluDesc desc = {layout, layout, 512, experts, choices, inputs, outputs, bias};
    desc.activation = bias ? Activation::kSwigluOai : Activation::kSilu;
    desc.int8Rows = weightReadsInt8Rows(layout);
    desc.f32Rows = !desc.int8Rows;
    for (desc.tileRows = 0; desc.tileRows <= 64; desc.tileRows = std::max(16u, 2 * desc.tileRows))
      specs.push_back(expertGluLaunch(desc).kernel);
  };
  for (const WeightLayout layout : {WeightLayout::kQ4_KPlanes, WeightLayout::kF16Rows}) {
    add(layout, 128, 8, 2048, 768, false);
    add(layout, 128, 8, 768, 2048, true);
    addGlu(layout, 128, 8, 2048, 768, false);
  }
  add(WeightLayout::kMXFP4Planes, 32, 4, 2880, 2880, true);
  addGlu(WeightLayout::kMXFP4Planes, 32, 4, 2880, 2880, true);
  for (const bool halfRows : {false, true})
    specs.push_back(sortedRowsLaunch({{512, 32, 4, 32}, 2880, false, halfRows}).kernel);
  specs.push_back(sortChoicesLaunch({512, 32, 4, 32}).kernel);
  specs.push_back(sortChoicesLaunch({512, 1024, 8, 16}).kernel);
  expectNoSpills(specs);
}

// Of LFM 2 1.2B and Qwen 3.5 9B, in steps and prompts, and of heads as large as there can be.
TEST(KernelsOfStates, CompileWithoutSpillsForAT4) {
  expectNoSpills({shortConvLaunch({.rows = 1, .columns = 2048, .taps = 3, .gated = true}).kernel,
                  shortConvLaunch({.rows = 1, .columns = 8192, .taps = 4, .silu = true}).kernel,
                  deltaRuleLaunch({1, 1, 16, 32, 128, false, false}).kernel,
                  deltaRuleLaunch({512, 64, 16, 32, 128, true, true}).kernel,
                  deltaRuleLaunch({512, 64, 4, 8, 256, false, false}).kernel});
}

/// Attention of a family, over keys and values of two types.
AttentionDesc attentionOf(uint32_t heads, uint32_t kvHeads, uint32_t headSize, KvType keys = KvType::kF16,
                          KvType values = KvType::kF16) {
  AttentionDesc desc = {.heads = heads, .kvHeads = kvHeads, .headSize = headSize, .cache = {.maxContext = 8192}};
  desc.cache.keyType = keys;
  desc.cache.valueType = values;
  desc.scale = 0.125f;
  desc.int8Rows = headSize % 32 == 0;
  desc.f32Rows = !desc.int8Rows;
  return desc;
}

// Attention of the families' head sizes and groups, and of the types of keys and values.
TEST(RealAttention, CompilesWithoutSpillsForAT4) {
  std::vector<AttentionDesc> descs = {
      attentionOf(28, 4, 128),                               // Qwen2.5 7B
      attentionOf(32, 32, 96),                               // Phi-3
      attentionOf(8, 8, 80),                                 //
      attentionOf(8, 1, 256),                                // Gemma 2B
      attentionOf(8, 4, 256),                                // Gemma 2 2B
      attentionOf(4, 1, 256),                                // Gemma 3 1B
      attentionOf(24, 8, 128, KvType::kQ8_0, KvType::kQ8_0), // Llama 3.2 3B
      attentionOf(14, 2, 64, KvType::kQ5_1, KvType::kQ4_0),  // Qwen2.5 0.5B
      attentionOf(4, 1, 256, KvType::kQ8_0, KvType::kQ4_1),
      attentionOf(16, 1, 512),                              // Gemma 4 12B
      attentionOf(8, 2, 512, KvType::kQ8_0, KvType::kQ8_0), // Gemma 4 E4B
      attentionOf(64, 8, 64),                               // gpt-oss
  };
  descs[4].window = 4096, descs[4].softcap = 50.f;
  descs[5].window = 512;
  descs.back().window = 128, descs.back().sinks = true;
  std::vector<KernelSpec> specs;
  for (AttentionDesc& desc : descs) {
    ASSERT_TRUE(checkAttention(desc));
    specs.push_back(attentionDecodeLaunch(desc).kernel);
    desc.rows = 512;
    specs.push_back(attentionPromptLaunch(desc).kernel);
    if (!desc.cache.isF16())
      specs.push_back(ropeCacheLaunch({.rows = 1,
                                       .heads = desc.heads,
                                       .kvHeads = desc.kvHeads,
                                       .headSize = desc.headSize,
                                       .turn = {.dimensions = desc.headSize},
                                       .f16Queries = false,
                                       .cache = desc.cache})
                          .kernel);
  }
  expectNoSpills(specs);
}

// What encoders launch: attention both ways of the families' head sizes, norms about the mean, units without a gate.
TEST(RealEncoders, CompileWithoutSpillsForAT4) {
  std::vector<KernelSpec> specs;
  for (AttentionDesc desc : {attentionOf(12, 12, 32), attentionOf(12, 12, 64), attentionOf(3, 1, 256)}) {
    desc.rows = 512;
    desc.bothWays = true;
    desc.window = desc.headSize == 32 ? 0 : 128;
    ASSERT_TRUE(checkAttention(desc));
    specs.push_back(attentionPromptLaunch(desc).kernel);
  }
  for (const bool int8 : {false, true})
    specs.push_back(
        layerNormLaunch({512, 768, 1e-12f, true, !int8, int8, RowOrder::kFragments, /*halfRows=*/!int8}).kernel);
  specs.push_back(activateLaunch({512, 3072, Activation::kGeluErf, true, true, RowOrder::kFragments}).kernel);
  specs.push_back(gluLaunch({512, 1152, Activation::kGeluErf, false, true, RowOrder::kFragments}).kernel);
  specs.push_back(
      embeddingLaunch(
          {.layout = WeightLayout::kF32Rows, .rows = 64, .columns = 768, .vocabulary = 512, .byPosition = true})
          .kernel);
  expectNoSpills(specs);
}

// Attention of every head size nightly, else of one whose y two blocks share unevenly: prompts with and without a
// softcap, and one, four and eight query heads of a kv head in decode.
TEST(RealAttention, EveryHeadSizeCompilesWithoutSpillsForAT4) {
  const uint32_t first = nightly() ? 8 : 200, last = nightly() ? 256 : 200;
  std::vector<KernelSpec> specs;
  for (uint32_t headSize = first; headSize <= last; headSize += 8) {
    for (const uint32_t kvHeads : {8u, 2u, 1u})
      specs.push_back(attentionDecodeLaunch(attentionOf(8, kvHeads, headSize)).kernel);
    for (const KvType type : {KvType::kF16, KvType::kQ8_0})
      for (const float softcap : {0.f, 50.f}) {
        AttentionDesc desc = attentionOf(8, 2, headSize, type, type);
        desc.rows = 512;
        desc.softcap = softcap;
        if (checkAttention(desc))
          specs.push_back(attentionPromptLaunch(desc).kernel);
      }
  }
  expectNoSpills(specs);
}

std::string nameOf(const testing::TestParamInfo<std::tuple<Shape, WeightLayout>>& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::string(pack::layoutFormat(std::get<1>(info.param)));
}

/// In all kinds of kernels of two models; those of the other layouts differ from them in the linears alone.
constexpr WeightLayout kInAllKernels[] = {WeightLayout::kQ4_0Planes, WeightLayout::kQ4_1Planes,
                                          WeightLayout::kQ8_0Planes, WeightLayout::kF16Rows, WeightLayout::kF32Rows};

template <typename Wanted>
std::vector<WeightLayout> layoutsThat(Wanted wanted) {
  std::vector<WeightLayout> layouts;
  for (unsigned i = 0; i < kWeightLayouts; ++i)
    if (const auto layout = static_cast<WeightLayout>(i); wanted(layout))
      layouts.push_back(layout);
  return layouts;
}

/// All layouts nightly, else those that stand for their kind.
std::vector<WeightLayout> chosen(const std::vector<WeightLayout>& all, const std::vector<WeightLayout>& few) {
  return nightly() ? all : few;
}

INSTANTIATE_TEST_SUITE_P(Shapes, RealKernels,
                         testing::Combine(testing::ValuesIn(nightly() ? std::vector<Shape>{kSmolLm2, kLlama8b}
                                                                      : std::vector<Shape>{kSmolLm2}),
                                          testing::ValuesIn(chosen({std::begin(kInAllKernels), std::end(kInAllKernels)},
                                                                   {WeightLayout::kQ4_1Planes,
                                                                    WeightLayout::kF16Rows}))),
                         nameOf);

const std::vector<WeightLayout> kInDecodeKernels = layoutsThat(
    [](WeightLayout layout) { return std::ranges::find(kInAllKernels, layout) == std::end(kInAllKernels); });

INSTANTIATE_TEST_SUITE_P(Layouts, DecodeKernels,
                         testing::ValuesIn(chosen(kInDecodeKernels,
                                                  {WeightLayout::kQ4_KPlanes, WeightLayout::kQ6_KPlanes,
                                                   WeightLayout::kNf4Planes})),
                         [](const auto& info) { return std::string(pack::layoutFormat(info.param)); });

class PromptKernels : public testing::TestWithParam<WeightLayout> {};

TEST_P(PromptKernels, CompileWithoutSpillsForAT4) {
  expectNoSpills(promptKernelsOf(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Layouts, PromptKernels,
                         testing::ValuesIn(chosen(layoutsThat(weightTakesTensorCores),
                                                  {WeightLayout::kF16Rows, WeightLayout::kQ4_KPlanes,
                                                   WeightLayout::kNf4Planes})),
                         [](const auto& info) { return std::string(pack::layoutName(info.param)); });

} // namespace
} // namespace llcuda::codegen
