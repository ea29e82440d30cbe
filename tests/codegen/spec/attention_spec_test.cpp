// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/attention_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

AttentionDesc llama() {
  AttentionDesc desc;
  desc.heads = 9;
  desc.kvHeads = 3;
  desc.headSize = 64;
  desc.cache.maxContext = 8192;
  desc.scale = 0.125f;
  return desc;
}

std::vector<std::string> names(const LaunchSpec& launch) {
  std::vector<std::string> result;
  for (const Param& param : launch.kernel.params) result.push_back(param.name);
  return result;
}

// The plan binds arguments by these names and in this order.
TEST(AttentionSpec, Decode) {
  const LaunchSpec launch = attentionDecodeLaunch(llama());
  EXPECT_THAT(launch.kernel.name, StartsWith("attention_decode__h9_g3_d64_p128_f16_f16__s64__q8__e3e000000__"));
  EXPECT_THAT(names(launch), ElementsAre("q", "k_pages", "v_pages", "positions", "slots", "block_table", "partial",
                                         "arrivals", "y_codes", "y_scales"));
  EXPECT_EQ(launch.grid.x, 3u);
  EXPECT_EQ(launch.grid.y, 64u);
  EXPECT_EQ(launch.grid.z, 1u);
  EXPECT_THAT(launch.kernel.source(),
              HasSubstr("llcuda::AttentionShape{.heads = 9, .kvHeads = 3, .headSize = 64, .tablePages = 128, "
                        ".keyType = llcuda::KvType::kF16, .valueType = llcuda::KvType::kF16}, "
                        "llcuda::ContextCut{.splits = 64}, llcuda::RowForms{.f32 = false, .int8 = true, "
                        ".order = llcuda::RowOrder::kRows}>(q, k_pages"));
  EXPECT_THAT(launch.kernel.source(), HasSubstr("llcuda::CausalAttention{0.125f, 0.f, 0, nullptr}"));
}

TEST(AttentionSpec, Sinks) {
  AttentionDesc desc = llama();
  desc.sinks = true;
  EXPECT_THAT(attentionDecodeLaunch(desc).kernel.source(), HasSubstr("CausalAttention{0.125f, 0.f, 0, sinks}"));
  EXPECT_THAT(names(attentionPromptLaunch(desc)), ElementsAre("q", "k_pages", "v_pages", "positions", "slots",
                                                              "block_table", "sinks", "y_codes", "y_scales"));
  EXPECT_EQ(attentionDecodeLaunch(desc).work.fixedBytes, 4u * 9);
}

// A short context is one split: then there is nothing to merge, and no workspace to bind.
TEST(AttentionSpec, OneSplitNeedsNoWorkspace) {
  AttentionDesc desc = llama();
  desc.cache.maxContext = 64;
  desc.f32Rows = true;
  desc.int8Rows = false;
  EXPECT_EQ(attentionSplits(desc), 1u);
  EXPECT_THAT(names(attentionDecodeLaunch(desc)),
              ElementsAre("q", "k_pages", "v_pages", "positions", "slots", "block_table", "y"));
}

// Rows of a batch fill the machine by themselves, so they split less; a split has at least a page.
TEST(AttentionSpec, SplitsFillTheMachine) {
  AttentionDesc desc = llama();
  desc.rows = 16;
  EXPECT_EQ(attentionSplits(desc), 6u);
  desc.rows = 128;
  EXPECT_EQ(attentionSplits(desc), 1u);
  desc.rows = 1;
  desc.cache.maxContext = 130;
  EXPECT_EQ(attentionSplits(desc), 3u);
  EXPECT_EQ(attentionPartialBytes(desc), 4u * 3 * 3 * (3 * 64 + 8));
  EXPECT_EQ(attentionArrivals(desc), 3u);
  desc.cache.maxContext = 8192;
  desc.window = 512; // touches nine units of 64 keys
  EXPECT_EQ(attentionSplits(desc), 9u);
}

// Nine query heads of a kv head are three blocks of three, each with sums of its own.
TEST(AttentionSpec, ManyHeadsOfAKvHead) {
  AttentionDesc desc = llama();
  desc.kvHeads = 1;
  ASSERT_TRUE(checkAttention(desc));
  const LaunchSpec launch = attentionDecodeLaunch(desc);
  EXPECT_EQ(launch.grid.x, 3u);
  EXPECT_EQ(attentionArrivals(desc), 3u);
  EXPECT_EQ(attentionPartialBytes(desc), 4u * 3 * launch.grid.y * (3 * 64 + 8));
}

// Heads that are too wide for the registers of one block are shared by two.
TEST(AttentionSpec, Prompt) {
  AttentionDesc desc = llama();
  desc.rows = 100;
  EXPECT_EQ(attentionPromptLaunch(desc).grid.x, 2u);
  EXPECT_EQ(attentionPromptLaunch(desc).grid.y, 9u);
  desc.headSize = 200;
  desc.int8Rows = false;
  EXPECT_EQ(attentionPromptLaunch(desc).grid.y, 18u);
  desc.int8Rows = true;
  desc.headSize = 256;
  desc.window = 512;
  const LaunchSpec launch = attentionPromptLaunch(desc);
  EXPECT_EQ(launch.grid.y, 18u);
  EXPECT_THAT(launch.kernel.name,
              StartsWith("attention_prompt__h9_g3_d256_p128_f16_f16__r100__q8_frag__e3e000000__w512__"));
  EXPECT_THAT(launch.kernel.source(), HasSubstr(".keyType = llcuda::KvType::kF16, .valueType = llcuda::KvType::kF16}, "
                                                "llcuda::PromptChunk{.rows = 100}, llcuda::RowForms{.f32 = false, "
                                                ".int8 = true, .order = llcuda::RowOrder::kFragments}>(q"));
}

TEST(AttentionSpec, RefusesByName) {
  const auto refusal = [](auto change) {
    AttentionDesc desc = llama();
    change(desc);
    const auto result = checkAttention(desc);
    return result ? std::string() : result.error().message;
  };
  EXPECT_EQ(refusal([](AttentionDesc&) {}), "");
  EXPECT_THAT(refusal([](AttentionDesc& d) { d.cache.pageTokens = 32; }), HasSubstr("pages of 32 tokens"));
  EXPECT_THAT(refusal([](AttentionDesc& d) { d.kvHeads = 2; }), HasSubstr("9 heads over 2 kv heads"));
  EXPECT_THAT(refusal([](AttentionDesc& d) { d.headSize = 70; }), HasSubstr("heads of 70"));
  EXPECT_THAT(refusal([](AttentionDesc& d) { d.headSize = 260; }), HasSubstr("heads of 260"));
  EXPECT_THAT(refusal([](AttentionDesc& d) { d.headSize = 80; }), HasSubstr("int8 rows"));
  EXPECT_THAT(refusal([](AttentionDesc& d) { d.headSize = 80, d.int8Rows = false; }), "");
}

// Window and types stand in the name.
TEST(AttentionSpec, WindowAndTypes) {
  AttentionDesc desc = llama();
  desc.cache.keyType = KvType::kQ8_0;
  desc.cache.valueType = KvType::kQ4_0;
  desc.window = 512;
  const LaunchSpec launch = attentionDecodeLaunch(desc);
  EXPECT_THAT(launch.kernel.name, StartsWith("attention_decode__h9_g3_d64_p128_q8_0_q4_0__s9__q8__e3e000000__w512__"));
  EXPECT_THAT(launch.kernel.source(),
              HasSubstr("positions, slots, block_table, llcuda::CausalAttention{0.125f, 0.f, 512, nullptr}"));
}

TEST(KvCache, HeadsAreWholeBlocks) {
  KvCacheDesc desc = {.maxContext = 64, .valueType = KvType::kQ4_1};
  EXPECT_TRUE(checkKvCache(desc, 96));
  EXPECT_THAT(checkKvCache(desc, 80).error().message, HasSubstr("heads of 80 in q4_1"));
}

TEST(KvCache, HeadsAreKeptInWholeVectors) {
  EXPECT_EQ(keptHeadBytes(KvType::kF16, 96), 64u * 96 * 2);
  EXPECT_EQ(keptHeadBytes(KvType::kF16, 100), 64u * 104 * 2);
  EXPECT_EQ(keptHeadBytes(KvType::kQ8_0, 96), 64u * 3 * 34);
}

} // namespace
} // namespace llcuda::codegen
