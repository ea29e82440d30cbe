// SPDX-License-Identifier: Apache-2.0
// A family of models is one record in one file: what its files are called, their keys and tensors, and its layer.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "compiler/ingest/hf_names.h"
#include "compiler/models/keys.h"
#include "compiler/models/layer_builder.h"
#include "compiler/models/model_config.h"

namespace llcuda::models {

/// A list in a record, which is a constant; one of more than kMax items does not compile.
template <typename T, size_t kMax>
class Few {
public:
  constexpr Few(std::initializer_list<T> list) {
    for (const T& item : list) items[count++] = item;
  }
  constexpr const T* begin() const { return items.data(); }
  constexpr const T* end() const { return items.data() + count; }

private:
  std::array<T, kMax> items = {};
  size_t count = 0;
};

using FamilyNames = Few<std::string_view, 4>;
using FamilyKeys = Few<KeyRow, 24>;

struct Family {
  std::string_view architecture;                  ///< what engines and messages call it
  FamilyNames gguf = {};                          ///< general.architecture of its GGUF files
  std::string_view writtenAs = {};                ///< the same of those that folders become; empty: they become none
  FamilyNames huggingFace = {};                   ///< architectures[0] of its config.json
  FamilyNames modelTypes = {};                    ///< model_type, of a config.json without architectures
  std::string_view models = {};                   ///< for people: who is of the family
  std::string_view formula = {};                  ///< and what it has besides the formula of llama
  FamilyKeys keys = {};                           ///< besides, or in place of, those of keys.cpp
  std::span<const ingest::HfModule> tensors = {}; ///< modules of a layer in Hugging Face files
  std::span<const ingest::HfModule> modelTensors = ingest::kModelModules; ///< modules outside of layers there
  std::string_view hfLayers = "layers.";                                  ///< in front of the number of a layer there
  std::span<const std::string_view> otherTensors = {}; ///< of names there, what no formula here reads
  PairOrder ggufPairs = PairOrder::kHalves;            ///< of its GGUF files
  PairOrder hfPairs = PairOrder::kHalves;              ///< of its Hugging Face files
  float hfNormPlus = 0;                                ///< what the norms of Hugging Face files lack
  bool tiedHead = false;                               ///< of a config.json that does not say
  bool plainLocalRope = false;                         ///< scaling is for layers without a window
  bool yarnIsLongRope = false;                         ///< early files call longrope by that name
  bool wholeYarnPairs = true;                          ///< RopeConfig::truncated of files that do not say
  std::string_view finalNorm = "output_norm";          ///< of GGUF files
  LayerKind otherLayers = LayerKind::kAttention;       ///< what layers without attention are
  bool experts = false;                                ///< its layers have a router and experts
  bool expertsByTurns = false;                         ///< HfNaming::expertsByTurns
  Activation activation = Activation::kSilu;           ///< of files that do not say
  /// Names of activations that mean another one in its files.
  Few<std::pair<std::string_view, Activation>, 1> activations = {};
  /// What its files say of single layers, once their windows are known.
  Result<void> (*layers)(const Keys& keys, ModelConfig& config) = nullptr;
  /// What the common reader of configurations lacks.
  Result<void> (*complete)(const Keys& keys, ModelConfig& config) = nullptr;
  /// The layer that the builder is at: what becomes of the residual stream `x`.
  Rows (*layer)(LayerBuilder& b, Rows x) = nullptr;
  bool denseModules = false; ///< of an encoder: `end` has linears behind the rows
  /// Its rows see the whole text, and become the text's embedding: there is no head.
  bool encoder = false;
  /// Of an encoder: what becomes of the embedded tokens in front of the layers, and of the stream behind them.
  Rows (*begin)(LayerBuilder& b, Rows x) = nullptr;
  Rows (*end)(LayerBuilder& b, Rows x) = nullptr;

  ingest::HfNaming naming() const { return {tensors, modelTensors, hfLayers, otherTensors, expertsByTurns}; }
};

std::span<const Family* const> families();

/// By a GGUF file's general.architecture; kUnsupported names those that there are.
Result<const Family*> familyOfGguf(std::string_view architecture);
/// By architectures[0] of a config.json or, where that is empty, by its model_type.
Result<const Family*> familyOfHf(std::string_view modelClass, std::string_view modelType);

/// The layer of Llama, and of what is built like it:
///   x += output(attention(rotated query, rotated key, value))   of norm(x)
///   x += down(activation(gate) * up)                            of norm(x)
Rows llamaLayer(LayerBuilder& b, Rows x);
/// The same with a norm of each query and key head before it is rotated.
Rows qwen3Layer(LayerBuilder& b, Rows x);

} // namespace llcuda::models
