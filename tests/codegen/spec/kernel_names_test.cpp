// SPDX-License-Identifier: Apache-2.0
// Names of kernels: whatever a kernel is made of tells it from others.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/spec/attention_spec.h"
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/linear_prompt_spec.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/rope_spec.h"
#include "codegen/spec/rows_spec.h"
#include "codegen/spec/sample_spec.h"

namespace llcuda::codegen {
namespace {

/// Kernels of one op, each with one fact changed.
template <typename Launch, typename Desc>
class Variants {
public:
  Variants(Launch launch, Desc base) : launch(launch), base(base) { specs.push_back(launch(base).kernel); }

  template <typename Member, typename Value>
  Variants& with(Member member, Value value) {
    Desc changed = base;
    changed.*member = value;
    return add(changed);
  }
  Variants& add(const Desc& changed) {
    specs.push_back(launch(changed).kernel);
    return *this;
  }
  /// Every change is seen in the name, and what was not changed gives the same name again.
  void expectApart() const {
    std::map<std::string, size_t> known;
    for (size_t i = 0; i < specs.size(); ++i) {
      const auto [first, isNew] = known.emplace(specs[i].name, i);
      EXPECT_TRUE(isNew) << "change " << i << " has the name of " << first->second << ": " << specs[i].name << "\n"
                         << specs[i].call << "\n"
                         << specs[first->second].call;
    }
    EXPECT_EQ(launch(base).kernel, specs[0]);
  }

private:
  Launch launch;
  Desc base;
  std::vector<KernelSpec> specs;
};

constexpr WeightLayout kLayout = WeightLayout::kQ4_0Planes, kOther = WeightLayout::kQ8_0Planes;
constexpr KvCacheDesc kCache = {.maxContext = 1024};
constexpr KvCacheDesc kCaches[] = {{.maxContext = 2048},
                                   {.maxContext = 1024, .keyType = KvType::kQ8_0},
                                   {.maxContext = 1024, .valueType = KvType::kQ8_0}};

template <typename Variants, typename Desc>
void addCaches(Variants& variants, Desc desc) {
  for (const KvCacheDesc& cache : kCaches) {
    desc.cache = cache;
    variants.add(desc);
  }
}

// Two layers of other scale or softcap have attentions of their own.
TEST(KernelNames, Attention) {
  using Desc = AttentionDesc;
  const Desc desc = {.rows = 2, .heads = 4, .kvHeads = 2, .headSize = 64, .cache = kCache, .scale = 0.125f};
  for (const auto launch : {attentionDecodeLaunch, attentionPromptLaunch}) {
    Variants variants(launch, desc);
    variants.with(&Desc::heads, 8u).with(&Desc::kvHeads, 4u).with(&Desc::headSize, 32u).with(&Desc::scale, 0.25f);
    variants.with(&Desc::window, 100u).with(&Desc::softcap, 50.f).with(&Desc::softcap, 30.f);
    variants.with(&Desc::f32Rows, true).with(&Desc::sinks, true);
    addCaches(variants, desc);
    variants.expectApart();
  }
}

TEST(KernelNames, DecodeLinears) {
  const auto linear = [](const LinearDesc& desc) { return linearLaunch(desc); };
  Variants linears(linear, LinearDesc{kLayout, 1, 64, 64});
  linears.with(&LinearDesc::layout, kOther).with(&LinearDesc::rows, 2u).with(&LinearDesc::inputs, 96u);
  linears.with(&LinearDesc::outputs, 96u).with(&LinearDesc::bias, true).with(&LinearDesc::residual, true);
  linears.with(&LinearDesc::softcap, 30.f).with(&LinearDesc::softcap, 50.f).expectApart();

  using Normed = LinearResidualNormDesc;
  Variants normed([](const Normed& desc) { return linearResidualNormLaunch(desc); },
                  Normed{.layout = kLayout, .inputs = 64, .outputs = 64, .eps = 1e-5f});
  normed.with(&Normed::layout, kOther).with(&Normed::rows, 2u).with(&Normed::inputs, 96u).with(&Normed::outputs, 96u);
  normed.with(&Normed::bias, true).with(&Normed::postNorm, true).with(&Normed::eps, 1e-6f);
  normed.with(&Normed::f32Rows, true).expectApart();

  using Glu = GluLinearDesc;
  Variants glu([](const Glu& desc) { return gluLinearLaunch(desc); },
               Glu{.gateLayout = kLayout, .upLayout = kLayout, .inputs = 64, .outputs = 64});
  glu.with(&Glu::gateLayout, kOther).with(&Glu::upLayout, kOther).with(&Glu::rows, 2u).with(&Glu::inputs, 96u);
  glu.with(&Glu::outputs, 96u).with(&Glu::activation, Activation::kGeluTanh).with(&Glu::f32Rows, true).expectApart();
}

template <typename Launch>
void expectQkvApart(Launch launch, uint32_t rows) {
  using Qkv = QkvLinearDesc;
  Variants qkv(launch, Qkv{kLayout, kLayout, kLayout, rows, 64, 64, 32});
  qkv.with(&Qkv::qLayout, kOther).with(&Qkv::kLayout, kOther).with(&Qkv::vLayout, kOther).with(&Qkv::rows, rows + 1);
  qkv.with(&Qkv::inputs, 96u).with(&Qkv::qOutputs, 96u).with(&Qkv::kvOutputs, 64u).with(&Qkv::bias, true);
  qkv.expectApart();
}

TEST(KernelNames, LinearsOfQueriesKeysAndValues) {
  expectQkvApart([](const QkvLinearDesc& desc) { return qkvLinearLaunch(desc); }, 1);
  expectQkvApart([](const QkvLinearDesc& desc) { return qkvPromptLaunch(desc); }, 64);

  using Rope = QkvRopeCacheDesc;
  const Rope desc = {.qLayout = kLayout,
                     .kLayout = kLayout,
                     .vLayout = kLayout,
                     .inputs = 64,
                     .heads = 4,
                     .kvHeads = 2,
                     .headSize = 64,
                     .dimensions = 64,
                     .cache = kCache};
  Variants rope([](const Rope& changed) { return qkvRopeCacheLaunch(changed); }, desc);
  rope.with(&Rope::qLayout, kOther).with(&Rope::kLayout, kOther).with(&Rope::vLayout, kOther).with(&Rope::rows, 2u);
  rope.with(&Rope::inputs, 96u).with(&Rope::heads, 8u).with(&Rope::kvHeads, 4u).with(&Rope::headSize, 96u);
  rope.with(&Rope::dimensions, 32u).with(&Rope::dimensions, 0u).with(&Rope::bias, true);
  addCaches(rope, desc);
  rope.expectApart();
}

TEST(KernelNames, PromptLinears) {
  using Linear = LinearPromptDesc;
  Variants linear([](const Linear& desc) { return linearPromptLaunch(desc); }, Linear{kLayout, 64, 64, 64});
  linear.with(&Linear::layout, kOther).with(&Linear::rows, 65u).with(&Linear::inputs, 96u).with(&Linear::outputs, 96u);
  linear.with(&Linear::bias, true).with(&Linear::residual, true).expectApart();

  using Glu = GluLinearPromptDesc;
  Variants glu([](const Glu& desc) { return gluLinearPromptLaunch(desc); }, Glu{kLayout, 64, 64, 64});
  glu.with(&Glu::layout, kOther).with(&Glu::rows, 65u).with(&Glu::inputs, 96u).with(&Glu::outputs, 96u);
  glu.with(&Glu::activation, Activation::kGeluTanh).with(&Glu::f32Rows, true).expectApart();
}

template <typename Desc, typename Launch>
void expectNormsApart(Launch launch) {
  Variants norms(launch, Desc{.columns = 64, .eps = 1e-5f});
  norms.with(&Desc::columns, 96u).with(&Desc::eps, 1e-6f).with(&Desc::pickRows, true).with(&Desc::int8Rows, true);
  norms.expectApart();
}

TEST(KernelNames, Rows) {
  expectNormsApart<RmsNormDesc>(rmsNormLaunch);
  expectNormsApart<PostNormDesc>(postNormLaunch);
  Variants(quantizeLaunch, QuantizeDesc{1, 64}).with(&QuantizeDesc::columns, 96u).expectApart();
  Variants glu(gluLaunch, GluDesc{.columns = 64});
  glu.with(&GluDesc::columns, 96u).with(&GluDesc::activation, Activation::kGeluTanh).with(&GluDesc::f32Rows, true);
  glu.expectApart();
  using Embedding = EmbeddingDesc;
  Variants embedding(embeddingLaunch, Embedding{.layout = kLayout, .columns = 64, .vocabulary = 5});
  embedding.with(&Embedding::layout, kOther).with(&Embedding::columns, 96u).with(&Embedding::vocabulary, 6u);
  embedding.with(&Embedding::scale, 2.f).expectApart();
}

TEST(KernelNames, Heads) {
  using Rows = HeadRowsDesc;
  const HeadTurnDesc turn = {.dimensions = 32, .norm = true, .eps = 1e-5f};
  HeadTurnDesc turns[] = {turn, turn, turn, turn};
  turns[0].dimensions = 64, turns[1].halves = true, turns[2].norm = false, turns[3].eps = 1e-6f;
  Variants rows(headRowsLaunch, Rows{.heads = 4, .headSize = 64, .turn = turn});
  rows.with(&Rows::heads, 5u).with(&Rows::headSize, 96u).with(&Rows::f16Rows, true);
  for (const HeadTurnDesc& other : turns) rows.with(&Rows::turn, other);
  rows.expectApart();

  using Cache = RopeCacheDesc;
  const Cache desc = {.heads = 4, .kvHeads = 2, .headSize = 64, .turn = turn, .cache = kCache};
  Variants cache(ropeCacheLaunch, desc);
  cache.with(&Cache::heads, 8u).with(&Cache::heads, 0u).with(&Cache::kvHeads, 4u).with(&Cache::headSize, 96u);
  cache.with(&Cache::f16Queries, false);
  for (const HeadTurnDesc& other : turns) cache.with(&Cache::turn, other);
  addCaches(cache, desc);
  cache.expectApart();
}

TEST(KernelNames, ElementwiseAndSample) {
  Variants(addLaunch, ElementsDesc{1, 64}).with(&ElementsDesc::columns, 96u).expectApart();
  Variants(pickRowsLaunch, ElementsDesc{1, 64}).with(&ElementsDesc::columns, 96u).expectApart();
  for (const auto launch : {scaleLaunch, softcapLaunch}) {
    Variants factors([&](float factor) { return launch({1, 64}, factor); }, 30.f);
    factors.add(50.f).expectApart();
  }
  Variants sample(sampleLaunch, SampleDesc{1, 500});
  sample.with(&SampleDesc::vocabulary, 501u).with(&SampleDesc::vocabulary, 5000u).with(&SampleDesc::decode, false);
  sample.expectApart();
}

// What no constant says is in the hash: bounds, types of parameters, how they are used.
TEST(KernelNames, AllOfASpecCounts) {
  const auto build = [](const char* type, bool writes, uint32_t threads, uint32_t minBlocks) {
    KernelBuilder kernel("copy", "copy.cuh");
    kernel.constants({number("n", 5)}).input("x", type);
    return (writes ? kernel.output("y", "float*") : kernel.inOut("y", "float*")).build("copy", threads, minBlocks);
  };
  const KernelSpec spec = build("const float*", true, 32, 1);
  EXPECT_THAT(spec.name, ::testing::MatchesRegex("copy__n5__[0-9a-f]{8}"));
  EXPECT_EQ(spec, build("const float*", true, 32, 1));
  for (const KernelSpec& other : {build("const int*", true, 32, 1), build("const float*", false, 32, 1),
                                  build("const float*", true, 64, 1), build("const float*", true, 32, 2)})
    EXPECT_NE(spec.name, other.name);
}

} // namespace
} // namespace llcuda::codegen
