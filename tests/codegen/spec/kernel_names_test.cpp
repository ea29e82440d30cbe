// SPDX-License-Identifier: Apache-2.0
// Names of kernels: whatever a kernel is made of tells it from others.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/spec/attention_spec.h"
#include "codegen/spec/elementwise_spec.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/log_probabilities_spec.h"
#include "codegen/spec/rope_spec.h"
#include "codegen/spec/rows_spec.h"
#include "codegen/spec/sample_spec.h"
#include "tests/codegen/linear_descs.h"

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

/// Linears of other operands and weights than `base`; the epilogue's are the caller's.
class LinearVariants : public Variants<LaunchSpec (*)(const LinearDesc&), LinearDesc> {
public:
  explicit LinearVariants(const LinearDesc& base)
      : Variants([](const LinearDesc& desc) { return linearLaunch(desc); }, base), base(base) {
    with(&LinearDesc::rows, base.rows + 1).with(&LinearDesc::inputs, base.inputs + 32);
    if (!std::holds_alternative<GateRows>(base.epilogue))
      with(&LinearDesc::bias, true);
    const bool layoutsDiffer = base.hasFewRows() || base.parts.size() == 3;
    for (size_t part = 0; layoutsDiffer && part < base.parts.size(); ++part) {
      LinearDesc other = base;
      other.parts[part].layout = kOther;
      add(other);
    }
  }
  LinearVariants& outputs(std::initializer_list<uint32_t> outputs) {
    LinearDesc other = base;
    std::ranges::transform(other.parts, outputs, other.parts.begin(), [](LinearPart part, uint32_t wanted) {
      part.outputs = wanted;
      return part;
    });
    add(other);
    return *this;
  }
  LinearVariants& epilogue(const LinearEpilogue& epilogue) {
    with(&LinearDesc::epilogue, epilogue);
    return *this;
  }

private:
  LinearDesc base;
};

TEST(KernelNames, Linears) {
  for (const LinearDesc& desc : {linearOf(kLayout, 1, 64, 64), manyRows(linearOf(kLayout, 64, 64, 64))}) {
    LinearVariants linears(desc);
    linears.outputs({96}).epilogue(StoreRows{.residual = true});
    if (desc.hasFewRows())
      linears.epilogue(StoreRows{.softcap = 30}).epilogue(StoreRows{.softcap = 50});
    linears.expectApart();
  }
  LinearVariants normed(linearOf(kLayout, 1, 64, 64, NormRows{.eps = 1e-5f}));
  normed.outputs({96}).epilogue(NormRows{.postNorm = true, .eps = 1e-5f}).epilogue(NormRows{.eps = 1e-6f});
  normed.epilogue(NormRows{.eps = 1e-5f, .f32Rows = true}).expectApart();
}

TEST(KernelNames, GatedLinears) {
  for (const LinearDesc& desc : {gluOf(kLayout, 1, 64, 64), manyRows(gluOf(kLayout, 64, 64, 64))}) {
    LinearVariants glu(desc);
    glu.outputs({96, 96}).epilogue(GateRows{.activation = Activation::kGeluTanh}).epilogue(GateRows{.f32Rows = true});
    glu.expectApart();
  }
}

TEST(KernelNames, LinearsOfQueriesKeysAndValues) {
  const LinearDesc qkv = qkvOf(kLayout, kLayout, 1, 64, 64, 32);
  LinearVariants(qkv).outputs({96, 32, 32}).outputs({64, 64, 64}).expectApart();
  LinearVariants(manyRows(qkv)).outputs({96, 32, 32}).outputs({64, 64, 64}).expectApart();

  const RopeCacheRows cached = {.headSize = 64, .dimensions = 64, .cache = kCache};
  LinearVariants rope(qkvOf(kLayout, kLayout, 1, 64, 256, 128, cached));
  rope.outputs({512, 128, 128}).outputs({256, 256, 256});
  RopeCacheRows others[] = {cached, cached, cached};
  others[0].headSize = 128, others[1].dimensions = 32, others[2].dimensions = 0;
  for (const RopeCacheRows& other : others) rope.epilogue(other);
  for (const KvCacheDesc& cache : kCaches) {
    RopeCacheRows other = cached;
    other.cache = cache;
    rope.epilogue(other);
  }
  rope.expectApart();
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
  Variants layer(layerNormLaunch, LayerNormDesc{.columns = 64, .eps = 1e-5f});
  layer.with(&LayerNormDesc::columns, 96u).with(&LayerNormDesc::eps, 1e-6f).with(&LayerNormDesc::shift, true);
  layer.with(&LayerNormDesc::int8Rows, true).expectApart();
  Variants(quantizeLaunch, QuantizeDesc{1, 64}).with(&QuantizeDesc::columns, 96u).expectApart();
  Variants(halfRowsLaunch, HalfRowsDesc{1, 64}).with(&HalfRowsDesc::columns, 96u).expectApart();
  Variants glu(gluLaunch, GluDesc{.columns = 64});
  glu.with(&GluDesc::columns, 96u).with(&GluDesc::activation, Activation::kGeluTanh).with(&GluDesc::f32Rows, true);
  glu.with(&GluDesc::activation, Activation::kSwigluOai);
  glu.with(&GluDesc::activation, Activation::kGeluErf).expectApart();
  Variants units(activateLaunch, ActivateDesc{.columns = 64});
  units.with(&ActivateDesc::columns, 96u).with(&ActivateDesc::activation, Activation::kTanh);
  units.with(&ActivateDesc::f32Rows, true).expectApart();
  using Embedding = EmbeddingDesc;
  Variants embedding(embeddingLaunch, Embedding{.layout = kLayout, .columns = 64, .vocabulary = 5});
  embedding.with(&Embedding::layout, kOther).with(&Embedding::columns, 96u).with(&Embedding::vocabulary, 6u);
  embedding.with(&Embedding::scale, 2.f).with(&Embedding::byPosition, true).expectApart();
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
  sample.with(&SampleDesc::context, 4096u);
  sample.expectApart();
  Variants scores(logProbabilitiesLaunch, LogProbabilitiesDesc{1, 500});
  scores.with(&LogProbabilitiesDesc::vocabulary, 501u).with(&LogProbabilitiesDesc::vocabulary, 5000u).expectApart();
  const auto sums = [](const ElementsDesc& desc) { return sumRowsLaunch(desc, 64); };
  Variants(sums, ElementsDesc{1, 64}).with(&ElementsDesc::columns, 96u).expectApart();
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
