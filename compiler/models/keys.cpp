// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/keys.h"

#include <algorithm>

namespace llcuda::models {
namespace {

constexpr KeyRow kCommon[] = {
    {Key::kLayers, "block_count", "num_hidden_layers"},
    {Key::kPredictingLayers, "nextn_predict_layers", "", 0},
    {Key::kContext, "context_length", "max_position_embeddings"},
    {Key::kEmbedding, "embedding_length", "hidden_size"},
    {Key::kFeedForward, "feed_forward_length", "intermediate_size"},
    {Key::kHeads, "attention.head_count", "num_attention_heads"},
    {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads"},
    {Key::kHeadSize, "attention.key_length", "head_dim"},
    {Key::kValueSize, "attention.value_length", ""},
    {Key::kVocabulary, "vocab_size", "vocab_size"},
    {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-6},
    {Key::kActivation, "", "hidden_activation"},
    {Key::kActivation, "", "hidden_act"},
    {Key::kSharedCaches, "attention.shared_kv_layers", "num_kv_shared_layers", 0},
    {Key::kPooling, "pooling_type", "", 0},
    {Key::kExperts, "expert_count", "num_experts", 0},
    {Key::kLocalExperts, "", "num_local_experts", 0},
    {Key::kCausal, "attention.causal", "", true},
    {Key::kBothWays, "", "use_bidirectional_attention", false},
    {Key::kWindow, "attention.sliding_window", "sliding_window", 0},
    {Key::kUseWindow, "", "use_sliding_window", true},
    {Key::kLayerTypes, "", "layer_types"},
    {Key::kWindowPattern, "attention.sliding_window_pattern", "sliding_window_pattern"},
    {Key::kFirstWindowLayer, "", "max_window_layers", 0},
    {Key::kRopeBase, "rope.freq_base", "rope_theta", 10000},
    {Key::kRopeDimensions, "rope.dimension_count", ""},
    {Key::kPartialRotary, "", "partial_rotary_factor", 1},
    {Key::kOriginalContext, "rope.scaling.original_context_length", "original_max_position_embeddings"},
    {Key::kAttentionScale, "attention.scale", "", 0},
};

} // namespace

std::string_view ggufName(Key key, std::span<const KeyRow> own) {
  for (const std::span<const KeyRow> rows : {own, std::span<const KeyRow>(kCommon)})
    for (const KeyRow& row : rows)
      if (row.key == key && !row.gguf.empty())
        return row.gguf;
  return "";
}

bool Keys::knows(std::string_view gguf) const {
  return std::ranges::find(own, gguf, &KeyRow::gguf) != own.end();
}

const KeyRow* Keys::row(Key key) const {
  const KeyRow* first = nullptr; // that has a name in such files, if any has one
  std::string_view firstName;
  for (const std::span<const KeyRow> rows : {own, std::span<const KeyRow>(kCommon)})
    for (const KeyRow& row : rows) {
      if (row.key != key)
        continue;
      const std::string_view name = fileKind == FileKind::kGguf ? row.gguf : row.hf;
      if (!name.empty() && values.has(name))
        return &row;
      if (!first || (firstName.empty() && !name.empty()))
        first = &row, firstName = name;
    }
  return first;
}

std::string_view Keys::name(Key key) const {
  const KeyRow* found = row(key);
  return !found ? "" : fileKind == FileKind::kGguf ? found->gguf : found->hf;
}

bool Keys::isList(Key key) const {
  const std::optional<Stated> value = values.present(name(key));
  return value && std::holds_alternative<List>(*value);
}

double Keys::absent(Key key, double otherwise) const {
  const KeyRow* found = row(key);
  return found && found->absent ? *found->absent : otherwise;
}

Result<void> Keys::need(Key key) const {
  const KeyRow* found = row(key);
  return has(key) || (found && found->absent) ? Result<void>() : badInput("has no ", title(key));
}

Result<uint32_t> Keys::required(Key key, Bounds bounds) const {
  LLCUDA_RETURN_IF_ERROR(need(key));
  return optional(key, 0, bounds);
}

Result<uint32_t> Keys::optional(Key key, uint32_t otherwise, Bounds bounds) const {
  return values.optional(name(key), static_cast<uint32_t>(absent(key, otherwise)), bounds);
}

Result<std::vector<uint32_t>> Keys::each(Key key, size_t count, uint32_t otherwise, Bounds bounds) const {
  return values.each(name(key), count, static_cast<uint32_t>(absent(key, otherwise)), bounds);
}

Result<double> Keys::number(Key key, double otherwise) const {
  return values.number(name(key), absent(key, otherwise));
}

Result<double> Keys::positive(Key key, double otherwise) const {
  return values.positive(name(key), absent(key, otherwise));
}

Result<double> Keys::notNegative(Key key, double otherwise) const {
  return values.notNegative(name(key), absent(key, otherwise));
}

Result<bool> Keys::flag(Key key, bool otherwise) const {
  return values.flag(name(key), absent(key, otherwise) != 0);
}

Result<std::string> Keys::text(Key key, const std::string& otherwise) const {
  return values.text(name(key), otherwise);
}

Result<std::optional<List>> Keys::list(Key key, size_t count) const {
  return values.list(name(key), count);
}

Result<std::optional<std::vector<bool>>> Keys::pattern(Key key, size_t count) const {
  const std::optional<Stated> value = values.present(name(key));
  std::vector<bool> flags(count);
  if (const auto* listed = value ? std::get_if<List>(&*value) : nullptr) {
    if (listed->size() != count)
      return badInput(title(key), " has ", listed->size(), " elements for ", count, " layers");
    for (size_t i = 0; i < count; ++i) {
      const auto* flag = std::get_if<bool>(&(*listed)[i]);
      const auto* whole = std::get_if<uint64_t>(&(*listed)[i]);
      if (!flag && !whole)
        return badInput(title(key), " is not a list of flags");
      flags[i] = flag ? *flag : *whole != 0;
    }
    return std::optional(std::move(flags));
  }
  if (const auto* letters = value ? std::get_if<std::string>(&*value) : nullptr) {
    if (letters->empty() || letters->find_first_not_of("LG") != letters->npos)
      return badInput(title(key), " is not a text of the letters L and G");
    for (size_t i = 0; i < count; ++i) flags[i] = (*letters)[i % letters->size()] == 'L';
    return std::optional(std::move(flags));
  }
  if (!value && absent(key, 0) == 0)
    return std::optional<std::vector<bool>>();
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t period, optional(key, 0, {1, UINT32_MAX}));
  for (size_t i = 0; i < count; ++i) flags[i] = (i + 1) % period != 0;
  return std::optional(std::move(flags));
}

} // namespace llcuda::models
