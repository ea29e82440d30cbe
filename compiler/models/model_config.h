// SPDX-License-Identifier: Apache-2.0
// The hyperparameters of a model, whatever kind of file they come from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/formats/activation.h"
#include "codegen/formats/position_growth.h"
#include "codegen/formats/rope_pairs.h"

namespace llcuda::models {

struct Family;

enum class RopeScaling : uint8_t { kNone, kLinear, kYarn, kLlama3, kLongRope };

/// How positions turn queries and keys. Fields that the scaling does not use keep their defaults.
struct RopeConfig {
  uint32_t dimensions = 0; ///< rotated elements of a head, even
  double base = 10000;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1;            ///< context after scaling / context before
  uint32_t originalContext = 0; ///< before scaling; 0: the trained context
  double attentionFactor = 0;   ///< magnitude of cosines and sines; 0: what the scaling's formula gives
  double betaFast = 32, betaSlow = 1, extensionFactor = 1; ///< yarn
  bool truncated = true; ///< yarn: the pairs between which frequencies change are whole numbers
  double lowFrequencyFactor = 1, highFrequencyFactor = 4; ///< llama3
  std::vector<double> shortFactors, longFactors;          ///< longrope: divisors of each pair's frequency
  std::vector<double> divisors;                           ///< of each pair's frequency besides; may be empty

  bool operator==(const RopeConfig&) const = default;
};

/// How the file orders the rows of queries and keys that turn together: adjacent in GGUF files of the llama
/// architecture, by halves in Hugging Face files and in GGUF files of other architectures.
using PairOrder = RopePairs;

/// What mixes the tokens of a layer. A family says which kinds it has; a layer of another kind is refused.
enum class LayerKind : uint8_t { kAttention, kRecurrent, kConvolution };

/// Feed-forwards of which each row takes those that a router chooses.
struct ExpertsConfig {
  uint32_t count = 0;       ///< 0: the layer has one feed-forward for all rows
  uint32_t used = 0;        ///< that a row chooses
  uint32_t feedForward = 0; ///< units of one
  bool normalized = false;  ///< the weights of those that a row chooses add up to 1

  bool operator==(const ExpertsConfig&) const = default;
};

/// Layers of the gated delta rule.
struct DeltaConfig {
  uint32_t keyHeads = 0;
  uint32_t valueHeads = 0; ///< a multiple of keyHeads
  uint32_t headSize = 0;   ///< of keys and of values
  bool grouped = false;    ///< value heads of a key head stand together; else they are keyHeads apart
  bool logRates = false;   ///< files have the logarithm of what GGUF files have

  uint32_t keyColumns() const { return keyHeads * headSize; }
  uint32_t valueColumns() const { return valueHeads * headSize; }

  bool operator==(const DeltaConfig&) const = default;
};

struct LayerConfig {
  static constexpr uint32_t kNoRope = UINT32_MAX;
  static constexpr uint32_t kOwnCache = UINT32_MAX;

  LayerKind kind = LayerKind::kAttention;
  uint32_t heads = 0;
  uint32_t kvHeads = 0; ///< divides heads
  uint32_t headSize = 0;
  uint32_t feedForward = 0; ///< of a layer without experts
  ExpertsConfig experts;
  uint32_t rope = 0;         ///< of ModelConfig::ropes; kNoRope: positions do not turn queries and keys
  uint32_t window = 0;       ///< positions that it attends to, the own one included; 0: all
  bool keysAsValues = false; ///< a file without linear of values means that of keys
  /// An earlier layer whose keys and values it attends over, making none; kOwnCache: it makes its own.
  uint32_t cache = kOwnCache;

  bool operator==(const LayerConfig&) const = default;
};

/// Which rows of a text become its embedding.
enum class Pooling : uint8_t { kUnset, kMean, kLast, kCls };

struct ModelConfig {
  const Family* family = nullptr;
  std::string name; ///< may be empty
  uint32_t embedding = 0;
  uint32_t vocabulary = 0;
  uint32_t trainedContext = 0;
  double normEps = 0;
  float normPlus = 0; ///< what the file's norm scales lack: 1 for Gemma from Hugging Face files, which store scale - 1
  PairOrder pairOrder = PairOrder::kAdjacent;
  Activation activation = Activation::kSilu;
  double embeddingScale = 1;
  uint32_t layerEmbedding = 0;  ///< columns of each layer's own embedding of the tokens; 0: they have none
  bool valueNorms = false;      ///< each head of values is normed, without a scale
  uint32_t convolutionTaps = 0; ///< of layers that are or begin with a convolution
  DeltaConfig delta;            ///< of recurrent layers
  double residualScale = 1;     ///< of what attention and feed-forward add to the residual stream
  double attentionScale = 0;    ///< of query times key; 0: 1 / sqrt(headSize)
  double attentionSoftcap = 0;  ///< 0: none
  double logitScale = 1;
  double logitSoftcap = 0;    ///< 0: none
  PositionGrowth queryGrowth; ///< of queries, with their position
  Pooling pooling = Pooling::kUnset;
  bool bothWays = false;         ///< rows see the whole text
  uint32_t skippedPositions = 0; ///< first rows of the table of positions, which are of none
  std::vector<uint32_t> dense;   ///< outputs of each linear behind the rows of an encoder
  std::vector<RopeConfig> ropes;
  std::vector<LayerConfig> layers; ///< at least one

  bool operator==(const ModelConfig&) const = default;
};

} // namespace llcuda::models
