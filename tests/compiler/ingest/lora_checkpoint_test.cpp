// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/lora_checkpoint.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/models/hf_modules.h"
#include "tests/compiler/ingest/memory_checkpoint.h"
#include "tests/compiler/ingest/safetensors_builder.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using enum TensorType;
using testing::ElementsAre;
using testing::HasSubstr;

// The model of Inputs/lora_goldens.py.
constexpr uint64_t kHidden = 32, kFeedForward = 64, kVocabulary = 40, kKvRows = 16, kHeadSize = 8;

struct Base {
  TensorType type = kF32;
  bool tied = false;
  bool fused = false;
  uint64_t hidden = kHidden;
  float scale = 1; ///< of all values
};

std::unique_ptr<const Checkpoint> model(const Base& base = {}) {
  std::vector<MemoryCheckpoint::Entry> entries;
  const auto add = [&](std::string name, std::vector<uint64_t> dims) {
    const size_t count = dims[0] * (dims.size() == 2 ? dims[1] : 1);
    const TensorType type = dims.size() == 2 ? base.type : kF32;
    std::vector<float> values = scatteredValues(count, static_cast<uint32_t>(entries.size() + 1));
    for (float& value : values) value *= base.scale;
    entries.push_back(storedTensor(std::move(name), type, dims, values));
  };
  add("token_embd.weight", {base.hidden, kVocabulary});
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    add(layer + "attn_norm.weight", {base.hidden});
    if (base.fused) {
      add(layer + "attn_qkv.weight", {base.hidden, kHidden + 2 * kKvRows});
    } else {
      add(layer + "attn_q.weight", {base.hidden, kHidden});
      add(layer + "attn_k.weight", {base.hidden, kKvRows});
      add(layer + "attn_v.weight", {base.hidden, kKvRows});
    }
    add(layer + "attn_output.weight", {kHidden, base.hidden});
    add(layer + "ffn_norm.weight", {base.hidden});
    add(layer + "ffn_gate.weight", {base.hidden, kFeedForward});
    add(layer + "ffn_up.weight", {base.hidden, kFeedForward});
    add(layer + "ffn_down.weight", {kFeedForward, base.hidden});
  }
  add("output_norm.weight", {base.hidden});
  if (!base.tied)
    add("output.weight", {base.hidden, kVocabulary});
  return std::make_unique<MemoryCheckpoint>(std::move(entries));
}

const LoraTarget kHalves = {{{0, kHidden, kKvRows}, {0, kHidden, kKvRows}}};
const LoraTarget kAdjacent = {{{kHeadSize, kHidden, kKvRows}, {kHeadSize, kHidden, kKvRows}}};

ScaledAdapter adapter(const std::string& name, double scale = 1) {
  return {LoraAdapter::open(std::string(LLCUDA_TEST_INPUTS) + "/lora/" + name, {models::kLlamaModules}).value(), scale};
}

Result<std::unique_ptr<LoraCheckpoint>> merge(const std::string& name, const Base& base = {},
                                              const LoraTarget& target = kHalves, double scale = 1) {
  std::vector<ScaledAdapter> adapters;
  adapters.push_back(adapter(name, scale));
  return LoraCheckpoint::create(model(base), std::move(adapters), target, LoraUse::kMerged, 2);
}

/// A line of Inputs/lora.txt.
struct Golden {
  std::string adapter, tensor;
  bool whole = false;
  std::vector<double> products;
};

std::vector<Golden> goldens(const std::string& adapter) {
  std::ifstream file(std::string(LLCUDA_TEST_INPUTS) + "/lora.txt");
  std::vector<Golden> found;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Golden golden;
    std::string name, verb;
    words >> golden.adapter >> name >> verb;
    golden.tensor = translateHfName(name, {models::kLlamaModules}).gguf;
    golden.whole = verb == "becomes";
    for (double product; words >> product;) golden.products.push_back(product);
    if (golden.adapter == adapter)
      found.push_back(golden);
  }
  return found;
}

/// The rows of `after` (less `before`) times the probe of the script.
std::vector<double> probed(const std::vector<float>& after, const std::vector<float>& before, size_t rows) {
  const size_t columns = after.size() / rows;
  std::vector<double> products(rows, 0.0);
  for (size_t i = 0; i < after.size(); ++i) {
    const double value = after[i] - (before.empty() ? 0.0 : static_cast<double>(before[i]));
    products[i / columns] += value * (static_cast<double>((i % columns * 7 + 3) % 11) - 5) / 4;
  }
  return products;
}

/// What `merged` has more than `base`, against PEFT; rows of queries and keys in the order that `target` says.
void expectGoldens(const std::string& name, const Checkpoint& merged, const Checkpoint& base,
                   const LoraTarget& target) {
  const std::vector<Golden> expected = goldens(name);
  ASSERT_FALSE(expected.empty());
  for (const Golden& golden : expected) {
    ASSERT_TRUE(merged.find(golden.tensor)) << golden.tensor;
    const bool turned = golden.tensor.ends_with("attn_q.weight") || golden.tensor.ends_with("attn_k.weight");
    const std::vector<double> products =
        probed(decodedTensor(merged, golden.tensor),
               golden.whole ? std::vector<float>() : decodedTensor(base, golden.tensor), golden.products.size());
    for (size_t row = 0; row < products.size(); ++row) {
      const size_t pair = target.layers[0].pairRows, inHead = pair ? row % pair : 0;
      const size_t theirs = turned && pair ? row - inHead + inHead % 2 * pair / 2 + inHead / 2 : row;
      EXPECT_NEAR(products[row], golden.products[theirs], 2e-4) << name << ' ' << golden.tensor << " row " << row;
    }
  }
}

// Scales, patterns, root of the rank, whole tensors, embeddings: what PEFT's own merge adds.
TEST(LoraCheckpoint, AddsWhatPeftAdds) {
  for (const std::string name : {"linears", "patterns", "whole", "tokens", "resized"}) {
    const auto merged = merge(name);
    ASSERT_TRUE(merged) << merged.error().message;
    expectGoldens(name, **merged, *model(), kHalves);
  }
}

// Rows of queries and keys as GGUF files of llama order them.
TEST(LoraCheckpoint, RowsFollowTheOrderOfTheBase) {
  for (const std::string name : {"linears", "whole"}) {
    const auto merged = merge(name, {}, kAdjacent);
    ASSERT_TRUE(merged) << merged.error().message;
    expectGoldens(name, **merged, *model(), kAdjacent);
  }
}

TEST(LoraCheckpoint, UntouchedTensorsAreTheBase) {
  const auto merged = merge("linears").value();
  for (const char* name : {"blk.1.attn_q.weight", "output.weight", "token_embd.weight", "output_norm.weight"})
    EXPECT_EQ(decodedTensor(*merged, name), decodedTensor(*model(), name)) << name;
}

double rmsDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

// Over every kind of base: the base's own values and the product are added in f32 and rounded once, to f16; f32 stays.
TEST(LoraCheckpoint, MergesOverEncodedBases) {
  const std::string tensor = "blk.0.ffn_down.weight";
  const std::vector<float> plain = decodedTensor(*model(), tensor),
                           sum = decodedTensor(*merge("linears").value(), tensor);
  for (const TensorType type : {kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ5_1, kNf4Short, kFp4Short}) {
    std::vector<float> expected = decodedTensor(*model({.type = type}), tensor);
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += sum[i] - plain[i];
    const TensorType wanted = type == kF32 ? kF32 : kF16;
    std::vector<MemoryCheckpoint::Entry> once;
    once.push_back(storedTensor(tensor, wanted, {kFeedForward, kHidden}, expected));
    const double rounding = rmsDifference(decodedTensor(MemoryCheckpoint(std::move(once)), tensor), expected);

    const auto merged = merge("linears", {.type = type});
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ((*merged)->find(tensor)->type, wanted);
    EXPECT_LE(rmsDifference(decodedTensor(**merged, tensor), expected), 1.01 * rounding + 1e-6)
        << formats::tensorTypeInfo(type).name;
  }
}

// Values that f16 may not hold keep bf16, as do those that no adapter changes.
TEST(LoraCheckpoint, WhatIsTooLargeForF16StaysBf16) {
  const auto merged = merge("linears", {.type = kBF16, .scale = 1e5f});
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ((*merged)->find("blk.0.ffn_down.weight")->type, kBF16);
  EXPECT_EQ(merge("linears", {.type = kBF16}).value()->find("output.weight")->type, kBF16);
  EXPECT_EQ(merge("linears", {.type = kBF16}, kHalves, 1e6).value()->find("blk.0.ffn_down.weight")->type, kBF16);
}

// The merged tensors are wider than the base, and the user is told.
TEST(LoraCheckpoint, QuantisedTensorsBecomeF16) {
  std::vector<MemoryCheckpoint::Entry> entries;
  entries.push_back(
      {{"blk.0.attn_k.weight", kIQ4_NL, {kHidden, kKvRows}}, std::vector<std::byte>(18 * kKvRows, std::byte{1})});
  entries.push_back(
      {{"blk.1.attn_k.weight", kIQ4_NL, {kHidden, kKvRows}}, std::vector<std::byte>(18 * kKvRows, std::byte{1})});
  for (const char* norm : {"blk.0.attn_norm.weight", "blk.1.attn_norm.weight", "blk.0.ffn_norm.weight",
                           "blk.1.ffn_norm.weight", "output_norm.weight"})
    entries.push_back(storedTensor(norm, kF32, {kHidden}, scatteredValues(kHidden)));
  entries.push_back(
      storedTensor("output.weight", kF32, {kHidden, kVocabulary}, scatteredValues(kHidden * kVocabulary)));
  std::vector<ScaledAdapter> adapters;
  adapters.push_back(adapter("whole"));
  const auto merged = LoraCheckpoint::create(std::make_unique<MemoryCheckpoint>(std::move(entries)),
                                             std::move(adapters), kHalves, LoraUse::kMerged, 1);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ((*merged)->find("blk.0.attn_k.weight")->type, kF16);
  EXPECT_THAT((*merged)->notes(), testing::Contains(HasSubstr("2 quantised tensors became f16")));
}

TEST(LoraCheckpoint, ScaleOfTheUser) {
  const std::string tensor = "blk.0.attn_v.weight";
  const std::vector<float> base = decodedTensor(*model(), tensor);
  const std::vector<float> once = decodedTensor(*merge("linears").value(), tensor);
  const std::vector<float> half = decodedTensor(*merge("linears", {}, kHalves, 0.5).value(), tensor);
  for (size_t i = 0; i < base.size(); ++i) ASSERT_NEAR(half[i], (base[i] + once[i]) / 2, 1e-5);
  EXPECT_EQ(decodedTensor(*merge("linears", {}, kHalves, 0).value(), tensor), base);
}

TEST(LoraCheckpoint, AdaptersAddUp) {
  std::vector<ScaledAdapter> adapters;
  adapters.push_back(adapter("linears"));
  adapters.push_back(adapter("patterns", 2));
  const auto both = LoraCheckpoint::create(model(), std::move(adapters), kHalves, LoraUse::kMerged, 1).value();
  const std::string tensor = "blk.0.attn_q.weight";
  const auto base = decodedTensor(*model(), tensor), first = decodedTensor(*merge("linears").value(), tensor),
             second = decodedTensor(*merge("patterns", {}, kHalves, 2).value(), tensor),
             sum = decodedTensor(*both, tensor);
  for (size_t i = 0; i < base.size(); ++i) ASSERT_NEAR(sum[i], first[i] + second[i] - base[i], 1e-4);
}

// Queries, keys and values that the base keeps in one tensor: each product adds to its rows.
TEST(LoraCheckpoint, FusedTensorsTakeTheirRows) {
  for (const LoraTarget& target : {kHalves, kAdjacent}) {
    const auto merged = merge("linears", {.fused = true}, target);
    ASSERT_TRUE(merged) << merged.error().message;
    const auto apart = merge("linears", {}, target).value();
    const auto fused = decodedTensor(**merged, "blk.0.attn_qkv.weight"),
               before = decodedTensor(*model({.fused = true}), "blk.0.attn_qkv.weight");
    size_t at = 0;
    for (const char* part : {"attn_q", "attn_k", "attn_v"}) {
      const std::string tensor = std::string("blk.0.") + part + ".weight";
      const auto own = decodedTensor(*apart, tensor), ownBefore = decodedTensor(*model(), tensor);
      for (size_t i = 0; i < own.size(); ++i, ++at)
        ASSERT_NEAR(fused[at] - before[at], own[i] - ownBefore[i], 1e-5) << part << ' ' << i;
    }
    EXPECT_EQ(at, fused.size());
  }
}

// The base ties head and embeddings, the adapter has something of its own for each: they part.
TEST(LoraCheckpoint, TiedHeadsPart) {
  const auto merged = merge("tokens", {.tied = true});
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_TRUE((*merged)->find("output.weight"));
  const std::vector<float> base = decodedTensor(*model({.tied = true}), "token_embd.weight");
  for (const Golden& golden : goldens("tokens")) {
    const auto products = probed(decodedTensor(**merged, golden.tensor), base, kVocabulary);
    for (size_t row = 0; row < products.size(); ++row) EXPECT_NEAR(products[row], golden.products[row], 2e-4);
  }
  EXPECT_THAT((*merged)->notes(), testing::Contains(HasSubstr("output.weight is a tensor of its own now")));
}

// Norms of Gemma in GGUF files are one more than those of Hugging Face files.
TEST(LoraCheckpoint, WholeNormsGetWhatTheBaseAdds) {
  const auto plain = decodedTensor(*merge("whole").value(), "output_norm.weight");
  LoraTarget gemma = kHalves;
  gemma.normPlus = 1;
  const auto more = decodedTensor(*merge("whole", {}, gemma).value(), "output_norm.weight");
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(more[i], plain[i] + 1);
}

/// An adapter of these tensors, whose names lack "base_model.model.".
class WrittenAdapter {
public:
  explicit WrittenAdapter(const std::string& config) {
    folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 1, "lora_alpha": 2, )" + config + "}");
  }
  WrittenAdapter& floats(const std::string& name, const std::vector<uint64_t>& shape,
                         const std::vector<float>& values) {
    builder.floats("base_model.model." + name, shape, values);
    return *this;
  }
  Result<std::unique_ptr<LoraCheckpoint>> over(std::unique_ptr<const Checkpoint> base,
                                               const LoraTarget& target = kHalves,
                                               LoraUse use = LoraUse::kMerged) const {
    folder.write("adapter_model.safetensors", builder.bytes());
    std::vector<ScaledAdapter> adapters;
    adapters.push_back({LoraAdapter::open(folder.path(), {models::kLlamaModules}).value(), 1});
    return LoraCheckpoint::create(std::move(base), std::move(adapters), target, use, 2);
  }

private:
  TemporaryFolder folder;
  SafetensorsBuilder builder;
};

// W' = m / |W + s B A| * (W + s B A), |.| of each row; rows of queries as the base orders them.
TEST(LoraCheckpoint, RowsGetTheirMagnitudes) {
  const std::string module = "model.layers.0.self_attn.q_proj", tensor = "blk.0.attn_q.weight";
  const std::vector<float> a = scatteredValues(kHidden, 5), b = scatteredValues(kHidden, 6);
  std::vector<float> magnitude = scatteredValues(kHidden, 7);
  WrittenAdapter adapter(R"("use_dora": true)");
  adapter.floats(module + ".lora_A.weight", {1, kHidden}, a).floats(module + ".lora_B.weight", {kHidden, 1}, b);
  adapter.floats(module + ".lora_magnitude_vector", {kHidden}, magnitude);
  for (const LoraTarget& target : {kHalves, kAdjacent}) {
    const auto merged = adapter.over(model(), target);
    ASSERT_TRUE(merged) << merged.error().message;
    const std::vector<float> base = decodedTensor(*model(), tensor), values = decodedTensor(**merged, tensor);
    for (size_t row = 0; row < kHidden; ++row) {
      const size_t pair = target.layers[0].pairRows, inHead = pair ? row % pair : 0;
      const size_t theirs = pair ? row - inHead + inHead % 2 * pair / 2 + inHead / 2 : row;
      std::vector<double> sums(kHidden);
      double squares = 0;
      for (size_t c = 0; c < kHidden; ++c) {
        sums[c] = base[row * kHidden + c] + 2.0 * b[theirs] * a[c];
        squares += sums[c] * sums[c];
      }
      for (size_t c = 0; c < kHidden; ++c)
        ASSERT_NEAR(values[row * kHidden + c], magnitude[theirs] / std::sqrt(squares) * sums[c], 1e-5) << row;
    }
  }
}

/// B times the A that it shares, of the tensors beside a weight.
std::vector<float> productBeside(const Checkpoint& checkpoint, const std::string& weight) {
  const std::string output = lowRankOutputName(weight), input = lowRankInputName(weight);
  const uint64_t rank = columnsOf(*checkpoint.find(output)), rows = rowsOf(*checkpoint.find(output));
  const uint64_t columns = columnsOf(*checkpoint.find(input));
  EXPECT_EQ(rowsOf(*checkpoint.find(input)), rank);
  EXPECT_EQ(rank % 32, 0u);
  const std::vector<float> b = decodedTensor(checkpoint, output), a = decodedTensor(checkpoint, input);
  std::vector<float> product(rows * columns, 0.0F);
  for (uint64_t row = 0; row < rows; ++row)
    for (uint64_t k = 0; k < rank; ++k)
      for (uint64_t c = 0; c < columns; ++c) product[row * columns + c] += b[row * rank + k] * a[k * columns + c];
  return product;
}

std::unique_ptr<LoraCheckpoint> beside(const std::vector<std::string>& names, const Base& base,
                                       const LoraTarget& target = kHalves) {
  std::vector<ScaledAdapter> adapters;
  for (const std::string& name : names) adapters.push_back(adapter(name));
  return LoraCheckpoint::create(model(base), std::move(adapters), target, LoraUse::kBeside, 2).value();
}

// The weights stay as they are; what the tensors beside them make is what a merge adds. Two adapters share them.
TEST(LoraCheckpoint, ProductsStayBesideQuantisedWeights) {
  for (const LoraTarget& target : {kHalves, kAdjacent})
    for (const std::vector<std::string>& names : {std::vector<std::string>{"linears"}, {"linears", "patterns"}})
      for (const bool fused : {false, true}) {
        const auto checkpoint = beside(names, {.type = kQ8_0, .fused = fused}, target);
        std::vector<ScaledAdapter> adapters;
        for (const std::string& name : names) adapters.push_back(adapter(name));
        const auto merged =
            LoraCheckpoint::create(model({.fused = fused}), std::move(adapters), target, LoraUse::kMerged, 2).value();
        for (const std::string part : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
          const std::string name = "blk.0." + (fused && part.ends_with("_k") ? "attn_qkv" : part) + ".weight";
          if (!merged->find(name))
            continue;
          EXPECT_EQ(checkpoint->find(name)->type, kQ8_0) << name;
          const std::vector<float> product = productBeside(*checkpoint, name), sum = decodedTensor(*merged, name),
                                   base = decodedTensor(*model({.fused = fused}), name);
          for (size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(product[i], sum[i] - base[i], 4e-3) << name << ' ' << i;
        }
      }
}

// What rows of other weights, whole tensors, embeddings and weights that are not quantised get, is merged.
TEST(LoraCheckpoint, WhatCannotStayBesideIsMerged) {
  const auto plain = beside({"linears"}, {.type = kF16});
  EXPECT_FALSE(plain->find("blk.0.attn_qkv.lora_a"));
  const auto tokens = beside({"tokens"}, {.type = kQ8_0});
  EXPECT_EQ(tokens->find("token_embd.weight")->type, kF16);
  EXPECT_EQ(tokens->find("output.weight")->type, kF16);
  const std::string module = "model.layers.0.self_attn.q_proj";
  WrittenAdapter dora(R"("use_dora": true)");
  dora.floats(module + ".lora_A.weight", {1, kHidden}, scatteredValues(kHidden, 5));
  dora.floats(module + ".lora_B.weight", {kHidden, 1}, scatteredValues(kHidden, 6));
  dora.floats(module + ".lora_magnitude_vector", {kHidden}, std::vector<float>(kHidden, 1));
  const auto scaled = dora.over(model({.type = kQ8_0}), kHalves, LoraUse::kBeside);
  ASSERT_TRUE(scaled) << scaled.error().message;
  EXPECT_EQ((*scaled)->find("blk.0.attn_q.weight")->type, kF16);
}

// A linear that had no bias gets one; of queries in the base's order, of fused ones for the rows of the part.
TEST(LoraCheckpoint, ProductsBringBiases) {
  const std::string module = "model.layers.0.self_attn.k_proj";
  const std::vector<float> bias = scatteredValues(kKvRows, 7);
  WrittenAdapter adapter(R"("lora_bias": true)");
  adapter.floats(module + ".lora_A.weight", {1, kHidden}, std::vector<float>(kHidden, 1));
  adapter.floats(module + ".lora_B.weight", {kKvRows, 1}, std::vector<float>(kKvRows, 1));
  adapter.floats(module + ".lora_B.bias", {kKvRows}, bias);
  const auto merged = adapter.over(model(), kAdjacent);
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_TRUE((*merged)->find("blk.0.attn_k.bias"));
  const std::vector<float> own = decodedTensor(**merged, "blk.0.attn_k.bias");
  ASSERT_EQ(own.size(), kKvRows);
  for (size_t i = 0; i < kKvRows; ++i)
    EXPECT_FLOAT_EQ(own[i], 2 * bias[i / kHeadSize * kHeadSize + i % 2 * kHeadSize / 2 + i % kHeadSize / 2]) << i;
  const auto fused = adapter.over(model({.fused = true})).value();
  const std::vector<float> all = decodedTensor(*fused, "blk.0.attn_qkv.bias");
  ASSERT_EQ(all.size(), kHidden + 2 * kKvRows);
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_FLOAT_EQ(all[i], i >= kHidden && i < kHidden + kKvRows ? 2 * bias[i - kHidden] : 0) << i;
}

TEST(LoraCheckpoint, TrainedTokensReplaceRows) {
  const std::vector<float> rows = scatteredValues(2 * kHidden, 9);
  const auto with = [&](const std::string& tokens, const Base& base) {
    WrittenAdapter adapter(R"("trainable_token_indices": )" + tokens);
    adapter.floats("model.embed_tokens.token_adapter.trainable_tokens_delta", {2, kHidden}, rows);
    return adapter.over(model(base));
  };
  const auto merged = with("[17, 3]", {.tied = true});
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_FALSE((*merged)->find("output.weight")); // tied as before
  std::vector<float> expected = decodedTensor(*model({.tied = true}), "token_embd.weight");
  std::copy_n(rows.begin(), kHidden, expected.begin() + 17 * kHidden);
  std::copy_n(rows.begin() + kHidden, kHidden, expected.begin() + 3 * kHidden);
  EXPECT_EQ(decodedTensor(**merged, "token_embd.weight"), expected);
  const auto outside = with("[17, 40]", {});
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(outside.error().message, HasSubstr("a row for token 40 of token_embd.weight, which has 40 rows"));
}

// Tokens that were added for the training: embeddings and head of more rows, tied or not.
TEST(LoraCheckpoint, EmbeddingsOfMoreTokens) {
  const uint64_t more = kVocabulary + 3;
  const std::vector<float> embeddings = scatteredValues(more * kHidden, 9), head = scatteredValues(more * kHidden, 8);
  const auto merged = WrittenAdapter(R"("bias": "none")")
                          .floats("model.embed_tokens.weight", {more, kHidden}, embeddings)
                          .floats("lm_head.weight", {more, kHidden}, head)
                          .over(model());
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_THAT((*merged)->find("output.weight")->dims, ElementsAre(kHidden, more));
  EXPECT_EQ(decodedTensor(**merged, "token_embd.weight"), embeddings);
  EXPECT_EQ(decodedTensor(**merged, "output.weight"), head);

  WrittenAdapter tied(R"("bias": "none")");
  tied.floats("model.embed_tokens.weight", {more, kHidden}, embeddings);
  tied.floats("lm_head.weight", {more, kHidden}, embeddings);
  const auto kept = tied.over(model({.tied = true}));
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_FALSE((*kept)->find("output.weight"));
  EXPECT_EQ(decodedTensor(**kept, "token_embd.weight"), embeddings);

  const auto alone = WrittenAdapter(R"("bias": "none")")
                         .floats("model.embed_tokens.weight", {more, kHidden}, embeddings)
                         .over(model());
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(alone.error().message, HasSubstr("token_embd.weight has 43 rows and output.weight 40"));
}

void expectError(const Result<std::unique_ptr<LoraCheckpoint>>& merged, const std::string& text) {
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(merged.error().message, HasSubstr(text));
}

TEST(LoraCheckpoint, AdaptersOfOtherModels) {
  expectError(merge("linears", {.hidden = 64}),
              "blk.0.ffn_down.weight make 32x64, the base has 64x64; it is of another model");
  expectError(merge("tokens", {.hidden = 64}), "output.weight make 40x32, the base has 40x64");
  std::vector<MemoryCheckpoint::Entry> entries;
  entries.push_back(
      storedTensor("token_embd.weight", kF32, {kHidden, kVocabulary}, scatteredValues(kHidden * kVocabulary)));
  std::vector<ScaledAdapter> adapters;
  adapters.push_back(adapter("linears"));
  expectError(LoraCheckpoint::create(std::make_unique<MemoryCheckpoint>(std::move(entries)), std::move(adapters),
                                     kHalves, LoraUse::kMerged, 1),
              "which the base does not have; it is of another model");
}

TEST(LoraCheckpoint, OneWholeTensorEach) {
  std::vector<ScaledAdapter> adapters;
  adapters.push_back(adapter("whole"));
  adapters.push_back(adapter("whole"));
  const auto merged = LoraCheckpoint::create(model(), std::move(adapters), kHalves, LoraUse::kMerged, 1);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(merged.error().message, HasSubstr("two adapters bring their own"));
}

} // namespace
} // namespace llcuda::ingest
