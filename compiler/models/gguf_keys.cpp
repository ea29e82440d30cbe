// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_keys.h"

#include <algorithm>
#include <cmath>

#include "compiler/models/rope_frequencies.h"

namespace llcuda::models {
namespace {

/// Writes by key, under the names of a family's rows; a key without one is left to checkSameModel().
class KeyWriter {
public:
  KeyWriter(const Family& family, ingest::GgufHeader& header)
      : own(family.keys.begin(), family.keys.end()), prefix(std::string(family.writtenAs) + "."), header(header) {}

  void whole(Key key, uint32_t value) {
    if (const std::string_view name = ggufName(key, own); !name.empty())
      header.addU32(prefix + std::string(name), value);
  }
  void real(Key key, double value) {
    if (const std::string_view name = ggufName(key, own); !name.empty())
      header.addF32(prefix + std::string(name), static_cast<float>(value));
  }
  void real(const char* name, double value) { header.addF32(prefix + name, static_cast<float>(value)); }
  void text(const char* name, const char* value) { header.addString(prefix + name, value); }

private:
  const std::span<const KeyRow> own;
  const std::string prefix;
  ingest::GgufHeader& header;
};

/// The rope of the first layer that has one and a window, or none; null where no layer does.
const RopeConfig* ropeOf(const ModelConfig& config, bool local) {
  const auto found = std::ranges::find_if(config.layers, [&](const LayerConfig& layer) {
    return layer.rope != LayerConfig::kNoRope && (layer.window != 0) == local;
  });
  return found == config.layers.end() ? nullptr : &config.ropes[found->rope];
}

double magnitudeOf(const RopeConfig& rope, const ModelConfig& config) {
  return ropeAngles(rope, config.trainedContext, config.trainedContext).magnitude;
}

void addScaling(const RopeConfig& rope, const ModelConfig& config, KeyWriter& keys) {
  switch (rope.scaling) {
  case RopeScaling::kNone:
  case RopeScaling::kLlama3: // a tensor says it
    return;
  case RopeScaling::kLinear:
    keys.text("rope.scaling.type", "linear");
    keys.real("rope.scaling.factor", rope.factor);
    return;
  case RopeScaling::kLongRope:
    keys.whole(Key::kOriginalContext, rope.originalContext);
    keys.real("rope.scaling.attn_factor", magnitudeOf(rope, config));
    return;
  case RopeScaling::kYarn:
    break;
  }
  RopeConfig usual = rope;
  usual.attentionFactor = 0;
  keys.text("rope.scaling.type", "yarn");
  keys.real("rope.scaling.factor", rope.factor);
  keys.whole(Key::kOriginalContext, rope.originalContext);
  keys.real("rope.scaling.yarn_beta_fast", rope.betaFast);
  keys.real("rope.scaling.yarn_beta_slow", rope.betaSlow);
  if (magnitudeOf(rope, config) != magnitudeOf(usual, config))
    keys.real("rope.scaling.attn_factor", magnitudeOf(rope, config) / magnitudeOf(usual, config));
}

void addRopes(const ModelConfig& config, KeyWriter& keys) {
  const RopeConfig *full = ropeOf(config, false), *local = ropeOf(config, true);
  const RopeConfig* main = full ? full : local;
  if (!main)
    return;
  keys.whole(Key::kRopeDimensions, main->dimensions);
  keys.real(Key::kRopeBase, main->base);
  if (full && local && full->base != local->base)
    keys.real(Key::kLocalRopeBase, local->base);
  addScaling(*main, config, keys);
}

/// GGUF's numbers, as llama.cpp's LLAMA_POOLING_TYPE_*.
void addPooling(const ModelConfig& config, KeyWriter& keys) {
  if (config.pooling != Pooling::kUnset)
    keys.whole(Key::kPooling, config.pooling == Pooling::kMean ? 1 : config.pooling == Pooling::kCls ? 2 : 3);
}

/// Numbers of a file are f32.
bool near(double a, double b) {
  return std::fabs(a - b) <= 1e-6 * std::max(std::fabs(a), std::fabs(b));
}

double scoreScale(const ModelConfig& config, const LayerConfig& layer) {
  return config.attentionScale != 0 ? config.attentionScale : 1 / std::sqrt(static_cast<double>(layer.headSize));
}

bool sameAngles(const RopeConfig& a, const RopeConfig& b, uint32_t trainedContext) {
  for (const uint32_t context : {1U, trainedContext}) { // longrope's short factors, and its long ones
    const RopeAngles left = ropeAngles(a, trainedContext, context), right = ropeAngles(b, trainedContext, context);
    if (!near(left.magnitude, right.magnitude) || !std::ranges::equal(left.frequencies, right.frequencies, near))
      return false;
  }
  return true;
}

Result<void> checkSameLayer(const ModelConfig& config, const ModelConfig& read, size_t number) {
  const LayerConfig &wanted = config.layers[number], &found = read.layers[number];
  const auto refused = [&](const char* what) {
    return unsupported("GGUF files of ", read.family->architecture, " do not say ", what, " of layer ", number);
  };
  LayerConfig other = found;
  other.rope = wanted.rope, other.window = wanted.window;
  if (other != wanted)
    return refused("the sizes");
  if (found.window != wanted.window)
    return refused("the window");
  if (!near(scoreScale(config, wanted), scoreScale(read, found)))
    return refused("the scale of the scores");
  const bool turns = wanted.rope != LayerConfig::kNoRope;
  if (turns != (found.rope != LayerConfig::kNoRope) ||
      (turns && !sameAngles(config.ropes[wanted.rope], read.ropes[found.rope], config.trainedContext)))
    return refused("the rope");
  return {};
}

} // namespace

void addConfig(const ModelConfig& config, const Family& target, ingest::GgufHeader& header) {
  header.addString("general.architecture", target.writtenAs);
  header.addString("general.type", "model");
  if (!config.name.empty())
    header.addString("general.name", config.name);
  KeyWriter keys(target, header);
  const LayerConfig& first = config.layers.front();
  keys.whole(Key::kLayers, static_cast<uint32_t>(config.layers.size()));
  keys.whole(Key::kContext, config.trainedContext);
  keys.whole(Key::kEmbedding, config.embedding);
  keys.whole(Key::kFeedForward, first.feedForward);
  keys.whole(Key::kHeads, first.heads);
  keys.whole(Key::kKvHeads, first.kvHeads);
  keys.whole(Key::kHeadSize, first.headSize);
  keys.whole(Key::kValueSize, first.headSize);
  keys.whole(Key::kVocabulary, config.vocabulary);
  keys.real(Key::kNormEps, config.normEps);
  uint32_t window = 0;
  for (const LayerConfig& layer : config.layers) window = std::max(window, layer.window);
  if (window != 0)
    keys.whole(Key::kWindow, window);
  if (config.attentionSoftcap != 0)
    keys.real(Key::kAttentionSoftcap, config.attentionSoftcap);
  if (config.logitSoftcap != 0)
    keys.real(Key::kLogitSoftcap, config.logitSoftcap);
  addRopes(config, keys);
  addPooling(config, keys);
}

Result<void> checkSameModel(const ModelConfig& config, const ModelConfig& read) {
  const auto refused = [&](const char* what) {
    return unsupported("GGUF files of ", read.family->architecture, " do not say ", what, " of this model");
  };
  if (read.layers.size() != config.layers.size() || read.embedding != config.embedding ||
      read.vocabulary != config.vocabulary || read.trainedContext != config.trainedContext)
    return refused("the sizes");
  // The scale of Gemma's embeddings was rounded to the type that it was trained in; a GGUF file leaves it whole.
  constexpr double kRoundingOfBf16 = 1.0 / 256;
  if (std::fabs(read.embeddingScale / config.embeddingScale - 1) > kRoundingOfBf16)
    return refused("the scale of the embeddings");
  if (!near(read.residualScale, config.residualScale) || !near(read.logitScale, config.logitScale))
    return refused("its scales");
  if (!near(read.normEps, config.normEps) || !near(read.attentionSoftcap, config.attentionSoftcap) ||
      !near(read.logitSoftcap, config.logitSoftcap))
    return refused("its numbers");
  if (read.activation != config.activation)
    return refused("the activation");
  if (read.queryGrowth != config.queryGrowth || read.layerEmbedding != config.layerEmbedding ||
      read.valueNorms != config.valueNorms || read.dense != config.dense || read.bothWays != config.bothWays ||
      read.pooling != config.pooling)
    return refused("all");
  for (size_t i = 0; i < config.layers.size(); ++i) LLCUDA_RETURN_IF_ERROR(checkSameLayer(config, read, i));
  return {};
}

} // namespace llcuda::models
