// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_checkpoint.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"
#include "compiler/ingest/half_checkpoint.h"
#include "compiler/models/hf_modules.h"
#include "tests/compiler/ingest/safetensors_builder.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using testing::ElementsAre;

/// The least that is a model.
SafetensorsBuilder small() {
  return SafetensorsBuilder()
      .floats("model.embed_tokens.weight", {3, 2}, {1, 2, 3, 4, 5, 6})
      .tensor("lm_head.weight", "BF16", {3, 2}, std::string(12, 'b'));
}

Result<std::unique_ptr<HfCheckpoint>> open(const std::string& bytes,
                                           const HfCheckpointOptions& options = {{models::kLlamaModules}}) {
  const TemporaryFile file(bytes, ".safetensors");
  LLCUDA_ASSIGN_OR_RETURN(SafetensorsSet set, SafetensorsSet::openFile(file.path()));
  return HfCheckpoint::open(std::move(set), options);
}

TEST(HfCheckpoint, TensorsUnderGgufNames) {
  const auto checkpoint =
      open(small().tensor("model.layers.0.self_attn.q_proj.weight", "F16", {4, 2}, std::string(16, 'q')).bytes());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const TensorInfo* query = (*checkpoint)->find("blk.0.attn_q.weight");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->type, TensorType::kF16);
  EXPECT_THAT(query->dims, ElementsAre(2, 4));
  const auto bytes = (*checkpoint)->read(*query);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->type, TensorType::kF16);
  EXPECT_EQ(bytes->bytes.size(), 16u);
  EXPECT_EQ(bytes->bytes[0], std::byte{'q'});
  EXPECT_EQ((*checkpoint)->tensors().size(), 3u);
  EXPECT_TRUE((*checkpoint)->notes().empty());
}

constexpr std::array<HfModule, 1> kBlocks = {{{"mlp.experts.down_proj_blocks", "ffn_down_exps", true}}};

/// Two experts of one row of 64 inputs; `scales` of the blocks.
SafetensorsBuilder inBlocks(const std::string& scales = "\x7f\x80\x7e\x7f", const char* type = "U8",
                            const std::vector<uint64_t>& shape = {2, 1, 2, 16}) {
  std::string codes(64, '\0');
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<char>(i % 16 * 16 + (15 - i % 16));
  return small()
      .tensor("model.layers.0.mlp.experts.down_proj_blocks", type, shape, codes)
      .tensor("model.layers.0.mlp.experts.down_proj_scales", "U8", {2, 1, 2}, scales);
}

// A byte has two neighbouring elements, the first in its low half: 4-bit floats times 2^(scale - 127).
TEST(HfCheckpoint, BlocksOfMxfp4) {
  const auto checkpoint = open(inBlocks().bytes(), {{kBlocks}});
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const TensorInfo* down = (*checkpoint)->find("blk.0.ffn_down_exps.weight");
  ASSERT_TRUE(down);
  EXPECT_EQ(down->type, TensorType::kMXFP4);
  EXPECT_THAT(down->dims, ElementsAre(64, 1, 2));
  EXPECT_FALSE((*checkpoint)->filePlace(*down));
  const auto bytes = (*checkpoint)->read(*down);
  ASSERT_TRUE(bytes) << bytes.error().message;
  std::vector<float> values(128);
  formats::dequantizeRow(bytes->type, bytes->bytes.data(), values.size(), values.data());
  constexpr float kFloats[16] = {0, .5, 1, 1.5, 2, 3, 4, 6, -0.f, -.5, -1, -1.5, -2, -3, -4, -6};
  constexpr float kScales[4] = {1, 2, .5, 1};
  for (int i = 0; i < 128; ++i) {
    const int byte = i % 32 / 2, code = i % 2 == 0 ? 15 - byte : byte;
    EXPECT_EQ(values[i], kScales[i / 32] * kFloats[code]) << i;
  }
  EXPECT_THAT((*checkpoint)->notes(), testing::Contains("1 weights in blocks of mxfp4"));
}

TEST(HfCheckpoint, BlocksOfMxfp4ThatAreNone) {
  const auto refusal = [](const SafetensorsBuilder& file) {
    const auto checkpoint = open(file.bytes(), {{kBlocks}});
    return checkpoint ? "no error" : checkpoint.error().message;
  };
  EXPECT_THAT(refusal(inBlocks("\x7f\x80\x7e\x7f", "I8")), testing::HasSubstr("is I8, MXFP4 is stored as U8"));
  EXPECT_THAT(refusal(inBlocks("\x7f\x80\x7e\x7f", "U8", {2, 1, 4, 8})),
              testing::HasSubstr("is not rows of blocks of 16 bytes"));
  EXPECT_THAT(refusal(inBlocks("\x7f\x80\x7e\x7f", "U8", {2, 2, 16})),
              testing::HasSubstr("has not a scale for each block of"));
  EXPECT_THAT(
      refusal(small().tensor("model.layers.0.mlp.experts.down_proj_blocks", "U8", {1, 1, 16}, std::string(16, '\0'))),
      testing::HasSubstr("is U8; F16, BF16 and F32 are supported"));
  EXPECT_THAT(refusal(small().tensor("model.layers.0.mlp.experts.down_proj_scales", "U8", {1, 1}, "x")),
              testing::HasSubstr("belongs to a weight that the file lacks"));
  const auto checkpoint = open(inBlocks("\x7f\x80\xff\x7f").bytes(), {{kBlocks}});
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const auto bytes = (*checkpoint)->read(*(*checkpoint)->find("blk.0.ffn_down_exps.weight"));
  ASSERT_FALSE(bytes);
  EXPECT_THAT(bytes.error().message, testing::HasSubstr("has a scale of 255, which is no number"));
}

// As the file calls them, also those that it lacks; checkpoints over it do not change that.
TEST(HfCheckpoint, TitlesAreTheFilesNames) {
  const TemporaryFile file(small().bytes(), ".safetensors");
  auto opened =
      HfCheckpoint::open(SafetensorsSet::openFile(file.path()).value(), HfCheckpointOptions{{models::kLlamaModules}});
  ASSERT_TRUE(opened) << opened.error().message;
  const auto half = HalfCheckpoint::over(*std::move(opened)).value();
  EXPECT_EQ(half->title("token_embd.weight"), "model.embed_tokens.weight of " + file.path());
  EXPECT_EQ(half->title("blk.3.attn_q.weight"), "model.layers.3.self_attn.q_proj.weight");
}

// Readers may take elements as they are: bytes at an odd address are copied to an even one.
TEST(HfCheckpoint, BytesAreAligned) {
  std::string bytes = small().bytes();
  for (int spaces = 0; spaces < 4; ++spaces) {
    uint64_t header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto checkpoint = open(bytes);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    const auto read = (*checkpoint)->read(*(*checkpoint)->find("token_embd.weight"));
    ASSERT_TRUE(read);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read->bytes.data()) % 4, 0u);
    float last;
    std::memcpy(&last, read->bytes.data() + 20, sizeof last);
    EXPECT_EQ(last, 6);
    ++header;
    std::memcpy(bytes.data(), &header, sizeof header);
    bytes.insert(8 + header - 1, " ");
  }
}

// An engine that refers to its weights finds them there, aligned or not.
TEST(HfCheckpoint, SaysWhereBytesLie) {
  const std::string bytes = small().bytes();
  const TemporaryFile file(bytes, ".safetensors");
  auto set = SafetensorsSet::openFile(file.path());
  ASSERT_TRUE(set);
  const auto checkpoint = HfCheckpoint::open(std::move(*set), {{models::kLlamaModules}});
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const auto place = (*checkpoint)->filePlace(*(*checkpoint)->find("output.weight"));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->path, file.path());
  EXPECT_EQ(place->offset, bytes.find("bbbbbbbbbbbb"));
}

TEST(HfCheckpoint, TiedHeadIsLeftOut) {
  const auto checkpoint = open(SafetensorsBuilder()
                                   .floats("model.embed_tokens.weight", {3, 2}, {1, 2, 3, 4, 5, 6})
                                   .floats("lm_head.weight", {3, 2}, {1, 2, 3, 4, 5, 6})
                                   .bytes(),
                               {.naming = {models::kLlamaModules}, .tiedHead = true});
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ((*checkpoint)->find("output.weight"), nullptr);
  EXPECT_THAT((*checkpoint)->notes(), testing::IsEmpty());
}

// The configuration says tied, the file has another head: by type, by value, by shape. The file decides.
TEST(HfCheckpoint, AnotherHeadIsNotTied) {
  const auto withHead = [](std::vector<uint64_t> shape, const std::vector<float>& head) {
    return SafetensorsBuilder()
        .floats("model.embed_tokens.weight", {3, 2}, {1, 2, 3, 4, 5, 6})
        .floats("lm_head.weight", shape, head)
        .bytes();
  };
  for (const std::string& bytes :
       {small().bytes(), withHead({3, 2}, {1, 2, 3, 4, 5, 7}), withHead({2, 3}, {1, 2, 3, 4, 5, 6})}) {
    const auto checkpoint = open(bytes, {.naming = {models::kLlamaModules}, .tiedHead = true});
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    EXPECT_NE((*checkpoint)->find("output.weight"), nullptr);
    EXPECT_THAT((*checkpoint)->notes(), ElementsAre(testing::HasSubstr("lm_head.weight is not the embedding")));
  }
}

// One that makes embeddings, saved without its head.
TEST(HfCheckpoint, NeedsNoHeadWithoutAPrefix) {
  const auto checkpoint = open(SafetensorsBuilder().floats("embed_tokens.weight", {3, 2}, {1, 2, 3, 4, 5, 6}).bytes());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_TRUE((*checkpoint)->find("token_embd.weight"));
  EXPECT_FALSE((*checkpoint)->find("output.weight"));
  EXPECT_THAT((*checkpoint)->notes(), ElementsAre(testing::HasSubstr("was saved without a head")));
  EXPECT_EQ((*checkpoint)->title("blk.0.attn_q.weight"), "layers.0.self_attn.q_proj.weight");
}

TEST(HfCheckpoint, LeavesOutWhatIsNotText) {
  const auto checkpoint = open(small()
                                   .floats("vision_tower.a.weight", {1}, {1})
                                   .floats("multi_modal_projector.b", {1}, {1})
                                   .floats("visual.blocks.0.norm1.weight", {1}, {1})
                                   .floats("model.visual.merger.norm.weight", {1}, {1})
                                   .floats("mtp.fc.weight", {1}, {1})
                                   .floats("model.layers.0.self_attn.rotary_emb.inv_freq", {1}, {1})
                                   .bytes());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ((*checkpoint)->tensors().size(), 2u);
  EXPECT_THAT(
      (*checkpoint)->notes(),
      ElementsAre(testing::EndsWith(": 5 tensors of parts that see, hear or predict further tokens are left out")));
}

TEST(HfCheckpoint, RefusesByName) {
  const auto refusal = [](const SafetensorsBuilder& file) {
    const auto checkpoint = open(file.bytes());
    EXPECT_FALSE(checkpoint);
    return checkpoint ? std::string() : checkpoint.error().message.substr(checkpoint.error().message.find(": ") + 2);
  };
  EXPECT_EQ(refusal(SafetensorsBuilder().floats("lm_head.weight", {1}, {1})),
            "has no tensor of the embedding (embed_tokens.weight)");
  EXPECT_EQ(refusal(SafetensorsBuilder().floats("model.embed_tokens.weight", {1}, {1})),
            "has no lm_head.weight, and its config.json does not say that embedding and head are tied");
  EXPECT_EQ(refusal(small().floats("model.layers.0.mlp.router.weight", {1}, {1})),
            "tensor 'model.layers.0.mlp.router.weight' is not part of any architecture that is supported");
  EXPECT_EQ(refusal(small().tensor("model.norm.weight", "F8_E4M3", {1}, "a")),
            "tensor 'model.norm.weight' is F8_E4M3; F16, BF16 and F32 are supported");
  EXPECT_EQ(refusal(small().floats("model.norm.weight", {}, {1})),
            "tensor 'model.norm.weight' has 0 dimensions, not 1 to 4");
  EXPECT_EQ(refusal(small().floats("language_model.lm_head.weight", {1}, {1})),
            "tensors 'lm_head.weight' and 'language_model.lm_head.weight' are the same tensor of the model");
}

} // namespace
} // namespace llcuda::ingest
