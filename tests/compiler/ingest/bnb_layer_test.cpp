// SPDX-License-Identifier: Apache-2.0
// Weights of bitsandbytes where Hugging Face files have them.
#include "compiler/ingest/bnb_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/ingest/hf_checkpoint.h"
#include "compiler/models/hf_modules.h"
#include "tests/compiler/ingest/bnb_file.h"
#include "tests/compiler/ingest/safetensors_builder.h"

namespace llcuda::ingest {
namespace {

using enum formats::TensorType;
using testing::HasSubstr;

const std::string kQuery = "model.layers.0.self_attn.q_proj";
const std::string kUp = "model.layers.0.mlp.up_proj";

std::string_view textOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Writes the tensors of a layer of Inputs/bnb.safetensors under the name of a module.
class LayerCopier {
public:
  /// All but `without`; that one has the dtype `retyped` instead, where it is given.
  void copy(SafetensorsBuilder& to, const std::string& layer, const std::string& module,
            const std::string& without = "", const std::string& retyped = "") const {
    for (const SafetensorsTensor& tensor : file.tensors().tensors()) {
      if (!tensor.name.starts_with(layer + "."))
        continue;
      const std::string part = tensor.name.substr(layer.size());
      if (part == without && retyped.empty())
        continue;
      const bool retype = part == without;
      const std::vector<uint64_t> flat = {tensor.data.size() / (retyped == "F32" ? 4 : 1)};
      to.tensor(module + part, retype ? retyped : tensor.type->name, retype ? flat : tensor.shape, textOf(tensor.data));
    }
  }

private:
  BnbFile file;
};

Result<std::unique_ptr<HfCheckpoint>> openModel(const SafetensorsBuilder& tensors) {
  const TemporaryFile file(tensors.bytes(), ".safetensors");
  LLCUDA_ASSIGN_OR_RETURN(SafetensorsSet set, SafetensorsSet::openFile(file.path()));
  return HfCheckpoint::open(std::move(set), {.naming = {models::kLlamaModules}, .tiedHead = true});
}

SafetensorsBuilder embeddings() {
  SafetensorsBuilder builder;
  builder.floats("model.embed_tokens.weight", {3, 2}, {1, 2, 3, 4, 5, 6});
  return builder;
}

// A model of several kinds of weights, as files of bitsandbytes are.
TEST(BnbLayer, WeightsOfAModel) {
  const LayerCopier copier;
  SafetensorsBuilder tensors = embeddings();
  copier.copy(tensors, "nf4_64_nested", kQuery);
  copier.copy(tensors, "odd_tail", kUp);
  copier.copy(tensors, "int8", "model.layers.0.mlp.down_proj");
  tensors.floats("model.layers.0.mlp.gate_proj.weight", {1, 2}, {1, 2});
  const auto model = openModel(tensors);
  ASSERT_TRUE(model) << model.error().message;

  const TensorInfo* query = (*model)->find("blk.0.attn_q.weight");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->type, kNf4);
  EXPECT_THAT(query->dims, testing::ElementsAre(64, 2));
  const auto bytes = (*model)->read(*query);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(bytes->type, kNf4);
  EXPECT_EQ(bytes->bytes.size(), 2 * 36u);
  EXPECT_EQ((*model)->find("blk.0.ffn_up.weight")->type, kF16);
  EXPECT_EQ((*model)->find("blk.0.ffn_down.weight")->type, kQ8_0);
  EXPECT_EQ((*model)->find("blk.0.ffn_gate.weight")->type, kF32);
  EXPECT_EQ((*model)->tensors().size(), 5u);
  EXPECT_THAT((*model)->notes(), testing::ElementsAre("bitsandbytes: 1 weights as q8_0, 1 weights as nf4, 1 weights as "
                                                      "f16, whose rows are no whole blocks"));
}

TEST(BnbLayer, RefusesByName) {
  const LayerCopier copier;
  const auto refusal = [&](const std::string& layer, const std::string& part, const std::string& retyped = "") {
    SafetensorsBuilder tensors = embeddings();
    copier.copy(tensors, layer, kQuery, part, retyped);
    const auto model = openModel(tensors);
    EXPECT_FALSE(model) << layer << part;
    EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
    return model ? std::string() : model.error().message;
  };
  EXPECT_THAT(refusal("nf4_64_nested", ".weight"), HasSubstr("belongs to a weight that the file lacks"));
  EXPECT_THAT(refusal("nf4_64_nested", ".weight.absmax"), HasSubstr("absmax has 0 bytes"));
  EXPECT_THAT(refusal("nf4_64_nested", ".weight.nested_quant_map"), HasSubstr("nested_quant_map has 0 bytes"));
  EXPECT_THAT(refusal("nf4_64_nested", ".weight.quant_state.bitsandbytes__nf4"), HasSubstr("has no quant_state"));
  EXPECT_THAT(refusal("nf4_64_plain", ".weight.absmax", "U8"), HasSubstr("is U8, bitsandbytes stores F32 there"));
  EXPECT_THAT(refusal("int8", ".weight", "U8"), HasSubstr("has an SCB beside it and is no matrix of I8"));

  SafetensorsBuilder tensors = embeddings();
  copier.copy(tensors, "nf4_64_plain", kQuery);
  tensors.floats(kQuery + ".SCB", {1}, {1});
  EXPECT_THAT(openModel(tensors).error().message, HasSubstr("has an SCB beside it"));
}

} // namespace
} // namespace llcuda::ingest
