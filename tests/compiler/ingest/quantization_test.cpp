// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/quantization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using enum TensorType;
using testing::HasSubstr;

TensorType typeOf(const QuantizeOptions& options, const std::string& name, uint64_t columns = 1024,
                  const QuantizedModel& model = {32, "output.weight"}) {
  return quantizedType({name, kF16, {columns, 64}}, model, options).value();
}

std::string layer(int i, const char* name) {
  return "blk." + std::to_string(i) + "." + name + ".weight";
}

TEST(Quantization, NamesAreTakenInAnyCase) {
  EXPECT_EQ(quantizationByName("Q4_K_M").value(), Quantization::kQ4_K_M);
  EXPECT_EQ(quantizationByName("nf4").value(), Quantization::kNf4);
  EXPECT_EQ(headEncodingByName("Keep").value(), HeadEncoding::kKeep);
  const auto unknown = quantizationByName("q3_k_s");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kUsage);
  EXPECT_EQ(unknown.error().message, "'q3_k_s' is not one of f16, q8_0, q4_0, q4_k_m, q5_k_m, q6_k, nf4");
}

// llama.cpp's mix for 32 layers: values and down projections of the first and last eighth and of every third between.
TEST(Quantization, MixesOfLlamaCpp) {
  const QuantizeOptions q4 = {Quantization::kQ4_K_M, {}}, q5 = {Quantization::kQ5_K_M, {}};
  std::vector<int> sensitive;
  for (int i = 0; i < 32; ++i)
    if (typeOf(q4, layer(i, "ffn_down")) == kQ6_K)
      sensitive.push_back(i);
  EXPECT_THAT(sensitive, testing::ElementsAre(0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31));
  EXPECT_EQ(typeOf(q4, layer(6, "attn_v")), kQ6_K);
  EXPECT_EQ(typeOf(q4, layer(7, "attn_v")), kQ4_K);
  EXPECT_EQ(typeOf(q4, layer(0, "attn_q")), kQ4_K);
  EXPECT_EQ(typeOf(q4, layer(0, "attn_qkv")), kQ5_K);
  EXPECT_EQ(typeOf(q4, "token_embd.weight"), kQ4_K);
  EXPECT_EQ(typeOf(q4, "output.weight"), kQ6_K);
  EXPECT_EQ(typeOf(q4, "token_embd.weight", 1024, {32, "token_embd.weight"}), kQ6_K);
  EXPECT_EQ(typeOf(q5, layer(0, "attn_v")), kQ6_K);
  EXPECT_EQ(typeOf(q5, layer(0, "ffn_up")), kQ5_K);
  EXPECT_EQ(typeOf(q5, layer(0, "attn_qkv")), kQ6_K);
  EXPECT_EQ(typeOf({Quantization::kQ4_0, {}}, "output.weight"), kQ6_K);
  EXPECT_EQ(typeOf({Quantization::kQ8_0, {}}, "output.weight"), kQ8_0);
}

// Experts are quantised as the feed-forward that they are; the router, which is small, stays as it is.
TEST(Quantization, Experts) {
  const QuantizeOptions q4 = {Quantization::kQ4_K_M, {}};
  EXPECT_EQ(typeOf(q4, layer(0, "ffn_down_exps")), kQ6_K);
  EXPECT_EQ(typeOf(q4, layer(0, "ffn_up_exps")), kQ4_K);
  for (const Quantization quantization : {Quantization::kQ4_K_M, Quantization::kNf4, Quantization::kQ8_0})
    EXPECT_EQ(typeOf({quantization, {}}, layer(0, "ffn_gate_inp")), kF16);
}

TEST(Quantization, RowsChooseSmallerBlocks) {
  const QuantizeOptions q4 = {Quantization::kQ4_K_M, {}}, q5 = {Quantization::kQ5_K_M, {}};
  EXPECT_EQ(typeOf(q4, layer(0, "attn_q"), 576), kQ5_0);
  EXPECT_EQ(typeOf(q5, layer(0, "attn_q"), 576), kQ5_1);
  EXPECT_EQ(typeOf(q4, layer(0, "attn_v"), 576), kQ8_0);
  EXPECT_EQ(typeOf(q4, layer(0, "attn_q"), 50), kF16);
  EXPECT_EQ(typeOf({Quantization::kQ4_0, {}}, layer(0, "attn_q"), 50), kF16);
  EXPECT_EQ(typeOf({Quantization::kNf4, {}}, layer(0, "attn_q"), 128), kNf4);
  EXPECT_EQ(typeOf({Quantization::kNf4, {}}, layer(0, "attn_q"), 96), kNf4Short);
  EXPECT_EQ(typeOf({Quantization::kNf4, {}}, layer(0, "attn_q"), 50), kF16);
}

TEST(Quantization, HeadIsAskedApart) {
  const QuantizedModel tied = {32, "token_embd.weight"};
  EXPECT_EQ(typeOf({Quantization::kNf4, {}}, "output.weight"), kF16);
  EXPECT_EQ(typeOf({Quantization::kNf4, {}}, "token_embd.weight"), kF16);
  EXPECT_EQ(typeOf({Quantization::kNf4, HeadEncoding::kQ8_0}, "output.weight"), kQ8_0);
  EXPECT_EQ(typeOf({Quantization::kNf4, HeadEncoding::kQ8_0}, "token_embd.weight"), kF16);
  EXPECT_EQ(typeOf({Quantization::kQ4_K_M, HeadEncoding::kKeep}, "output.weight"), kF16);
  EXPECT_EQ(typeOf({{}, HeadEncoding::kQ6_K}, "token_embd.weight", 1024, tied), kQ6_K);
  EXPECT_EQ(typeOf({{}, HeadEncoding::kQ6_K}, layer(0, "attn_q"), 1024, tied), kF16);
}

TEST(Quantization, AttentionBesideEightExpertsGetsMoreBits) {
  const QuantizedModel eight = {32, "output.weight", 8}, four = {32, "output.weight", 4};
  const QuantizeOptions q4 = {Quantization::kQ4_K_M, {}}, q4_0 = {Quantization::kQ4_0, {}};
  EXPECT_EQ(typeOf(q4, layer(5, "attn_k"), 1024, eight), kQ8_0);
  EXPECT_EQ(typeOf(q4, layer(5, "attn_output"), 1024, eight), kQ5_K);
  EXPECT_EQ(typeOf(q4_0, layer(5, "attn_v"), 1024, eight), kQ8_0);
  EXPECT_EQ(typeOf(q4_0, layer(5, "attn_output"), 1024, eight), kQ4_0);
  EXPECT_EQ(typeOf(q4, layer(5, "attn_k"), 1024, four), kQ4_K);
  EXPECT_EQ(typeOf({Quantization::kF16, {}}, layer(5, "attn_k"), 1024, eight), kF16);
}

// llama.cpp's guard: the first down projections, weighted, in q4_0.
TEST(Quantization, WeightedQ4_0KeepsMinimumsAtTheStart) {
  const QuantizedModel weighted = {32, "output.weight", 0, true};
  EXPECT_EQ(typeOf({Quantization::kQ4_0, {}}, layer(3, "ffn_down"), 1024, weighted), kQ4_1);
  EXPECT_EQ(typeOf({Quantization::kQ4_0, {}}, layer(4, "ffn_down"), 1024, weighted), kQ4_0);
  EXPECT_EQ(typeOf({Quantization::kQ4_0, {}}, layer(3, "ffn_up"), 1024, weighted), kQ4_0);
}

TEST(Quantization, WhatIsNoWeightStays) {
  EXPECT_EQ(typeOf({Quantization::kQ8_0, {}}, "blk.0.ffn_gate_exps.bias"), kF16);
  EXPECT_EQ(typeOf({Quantization::kQ8_0, {}}, layer(0, "attn_q_norm")), kF16);
}

TEST(Quantization, VectorsStay) {
  const TensorInfo norm = {"output_norm.weight", kF32, {1024}};
  EXPECT_EQ(quantizedType(norm, {32, "output.weight"}, {Quantization::kQ4_0, {}}).value(), kF32);
}

TEST(Quantization, RefusesToQuantiseTwice) {
  const TensorInfo stored = {"blk.0.attn_q.weight", kQ8_0, {1024, 64}};
  const auto type = quantizedType(stored, {32, "output.weight"}, {Quantization::kQ4_0, {}});
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(type.error().message, testing::StartsWith("is q8_0 already"));
  EXPECT_EQ(quantizedType(stored, {32, "output.weight"}, {Quantization::kQ8_0, {}}).value(), kQ8_0);
  const auto head =
      quantizedType({"output.weight", kQ6_K, {1024, 64}}, {32, "output.weight"}, {{}, HeadEncoding::kQ8_0});
  ASSERT_FALSE(head);
  EXPECT_THAT(head.error().message, HasSubstr("--head takes f32, f16 and bf16"));
}

} // namespace
} // namespace llcuda::ingest
