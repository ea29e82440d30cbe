// SPDX-License-Identifier: Apache-2.0
// One name for a hyperparameter that files of different kinds call by different ones.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "compiler/models/values.h"

namespace llcuda::models {

enum class Key : uint8_t {
  kLayers,
  kPredictingLayers, ///< the last of them, which predict further tokens
  kContext,
  kEmbedding,
  kFeedForward,
  kHeads,
  kKvHeads,
  kHeadSize,
  kLocalHeadSize,  ///< of layers with the window, where they have their own
  kGlobalHeadSize, ///< of the others
  kValueSize,
  kLocalValueSize,
  kGlobalKvHeads, ///< of layers without the window, whose values are their keys
  kVocabulary,
  kNormEps,
  kType, ///< that transformers computes in
  kActivation,
  kPooling,
  kExperts,
  kLocalExperts,
  kExpertsUsed,       ///< that a row chooses
  kExpertFeedForward, ///< units of one expert
  kExpertsNormalized, ///< whether the weights of those chosen add up to 1
  kCausal,
  kBothWays,
  kWindow,
  kUseWindow,
  kLayerTypes, ///< sliding_attention or full_attention for each layer
  /// A flag for each layer, or a period: of so many layers the last sees everything; or the letters of a period, L for
  /// layers with the window.
  kWindowPattern,
  kFirstWindowLayer, ///< without one of these two, the first layer with the window
  kRotatedLayers,    ///< 0 for each layer without a rope
  kNopeInterval,     ///< without it: of so many layers the last has no rope
  kRopeUsed,         ///< whether any layer has one
  kRopeBase,
  kLocalRopeBase, ///< of layers with the window
  kRopeDimensions,
  kLocalRopeDimensions, ///< of layers with the window
  kPartialRotary,       ///< rotated elements / head size
  kSharedCaches,        ///< last layers that make no keys and values
  kWideShared,          ///< whether their feed-forward is twice as wide
  kLayerEmbedding,      ///< columns of each layer's own embedding of the tokens
  kOriginalContext,     ///< before the rope was scaled
  kQueryScalar,         ///< scores are divided by its root
  kAttentionScale,
  kAttentionSoftcap,
  kLogitSoftcap,
  kTemperature, ///< by which queries grow past the original context
  kEmbeddingScale,
  kResidualScale,
  kLogitDivisor,
  kConvolutionTaps,   ///< positions that a short convolution sees, its own included
  kRecurrentLayers,   ///< a flag for each layer
  kAttentionInterval, ///< without them: of so many layers the last has attention
  kDeltaKeyHeads,
  kDeltaValueHeads,
  kDeltaHeadSize,
  kDeltaValueSize, ///< of a value head, or of all of them
};

/// What the kinds of files call a key.
struct KeyRow {
  Key key = {};
  std::string_view gguf = {};        ///< without the architecture; empty: GGUF files do not say it
  std::string_view hf = {};          ///< in config.json, perhaps in one of its objects; empty: it does not say it
  std::optional<double> absent = {}; ///< of a file without it; nothing: the reader's own rule
};

enum class FileKind : uint8_t { kGguf, kHuggingFace };

/// Reads by key. A family's own rows come before those that all families share; of several rows of a key the first that
/// the file has counts, else the first with a name in files of its kind. What is absent is the row's, else the
/// caller's. A key without a row is always absent.
class Keys {
public:
  Keys(FileKind kind, const Values& values, std::span<const KeyRow> own) : fileKind(kind), values(values), own(own) {}

  FileKind kind() const { return fileKind; }
  bool has(Key key) const { return values.has(name(key)); }
  /// A file may switch off with a null what it would have without the key.
  bool isNull(Key key) const { return values.isNull(name(key)); }
  /// Whether the family has the name in its own rows.
  bool knows(std::string_view gguf) const;
  /// Whether the file states one value for each of something.
  bool isList(Key key) const;
  /// How messages call it.
  std::string title(Key key) const { return values.title(name(key)); }

  /// An error where neither the file nor the row says it.
  Result<void> need(Key key) const;
  /// The same as a number.
  Result<uint32_t> required(Key key, Bounds bounds) const;
  Result<uint32_t> optional(Key key, uint32_t otherwise, Bounds bounds) const;
  Result<std::vector<uint32_t>> each(Key key, size_t count, uint32_t otherwise, Bounds bounds) const;
  Result<double> number(Key key, double otherwise = 0) const;
  Result<double> positive(Key key, double otherwise) const;
  Result<double> notNegative(Key key, double otherwise = 0) const;
  Result<bool> flag(Key key, bool otherwise) const;
  Result<std::string> text(Key key, const std::string& otherwise) const;
  Result<std::optional<List>> list(Key key, size_t count) const;
  /// A flag for each layer by kWindowPattern; nothing where neither file nor row says one.
  Result<std::optional<std::vector<bool>>> pattern(Key key, size_t count) const;
  /// Anything else that the file says, by its name.
  const Values& all() const { return values; }

private:
  const KeyRow* row(Key key) const;
  std::string_view name(Key key) const;
  double absent(Key key, double otherwise) const;

  const FileKind fileKind;
  const Values& values;
  const std::span<const KeyRow> own;
};

/// What GGUF files of a family with these rows call a key, without the architecture; empty: they do not say it.
std::string_view ggufName(Key key, std::span<const KeyRow> own);

} // namespace llcuda::models
