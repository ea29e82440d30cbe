// SPDX-License-Identifier: Apache-2.0
// EmbeddingGemma: the layer of Gemma 3, whose rows see the whole text, or a window around them, and two linears behind
// the last norm.
#include "compiler/models/config_limits.h"
#include "compiler/models/gemma.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLinears, kSandwichNorms, kHeadNorms);

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  if (keys.kind() == FileKind::kHuggingFace) {
    LLCUDA_ASSIGN_OR_RETURN(const bool bothWays, keys.flag(Key::kBothWays, false));
    if (!bothWays)
      return unsupported(keys.title(Key::kBothWays), " is not true: a Gemma 3 without a head that attends backwards "
                                                     "alone is not supported");
  }
  for (const char* name : {"dense_2_feat_out", "dense_3_feat_out"})
    if (keys.all().has(name)) {
      LLCUDA_ASSIGN_OR_RETURN(const uint32_t outputs, keys.all().optional(name, 0, {1, kMaxWidth}));
      config.dense.push_back(outputs);
    }
  return completeScaledGemma(keys, config, /*layersOf27B=*/62);
}

static Rows end(LayerBuilder& b, Rows x) {
  return b.dense(b.rmsNorm(x, "output_norm"));
}

constinit const Family kGemmaEmbedding{
    .architecture = "gemma-embedding",
    .gguf = {"gemma-embedding"},
    .huggingFace = {"Gemma3TextModel"},
    .modelTypes = {},
    .models = "EmbeddingGemma",
    .formula = "the layer of Gemma 3 with attention both ways; two linears behind the rows",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kHeads, "attention.head_count", "num_attention_heads", 3},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 1},
             {Key::kHeadSize, "attention.key_length", "head_dim", 256},
             {Key::kVocabulary, "vocab_size", "vocab_size", 262144},
             {Key::kType, "", "dtype"},
             {Key::kType, "", "torch_dtype"},
             {Key::kCausal, "attention.causal", "", false},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 512},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "sliding_window_pattern", 6},
             {Key::kWindowPattern, "", "_sliding_window_pattern", 6},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 1e6},
             {Key::kLocalRopeBase, "rope.freq_base_swa", "rope_local_base_freq", 10000},
             {Key::kQueryScalar, "", "query_pre_attn_scalar", 256},
             {Key::kAttentionSoftcap, "attn_logit_softcapping", "attn_logit_softcapping", 0}},
    .tensors = kModules,
    .hfNormPlus = 1,
    .plainLocalRope = true,
    .activation = Activation::kGeluTanh,
    .complete = complete,
    .layer = gemma3Layer,
    .denseModules = true,
    .encoder = true,
    .end = end,
};

} // namespace llcuda::models
