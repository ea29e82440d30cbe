// SPDX-License-Identifier: Apache-2.0
// gpt-oss: biases on all linears, a sink beside the scores of each head, a window on every other layer, experts whose
// gated unit clamps. Frequencies of yarn change between fractions of pairs, as in transformers; llama.cpp rounds them.
#include "compiler/models/family_list.h"

namespace llcuda::models {

static Rows gptOssLayer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  x = b.residual(x, b.attentionOutput(b.attention(b.rotated(query), b.rotated(key), value)));
  return b.residual(x, b.feedForward(b.rmsNorm(x, "post_attention_norm")));
}

constinit const Family kGptOss{
    .architecture = "gpt-oss",
    .gguf = {"gpt-oss"},
    .models = "gpt-oss as GGUF files",
    .formula =
        "halves of a head turn, by yarn without rounding; biases; a sink beside the scores of each head; a window "
        "on layers 0, 2, 4, ...; experts by the softmax of the logits chosen, gates up to 7 and ups from -7 to 7",
    .keys = {{Key::kFeedForward, "feed_forward_length", "", 2880},
             {Key::kHeadSize, "attention.key_length", "", 64},
             {Key::kWindow, "attention.sliding_window", "", 128},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "", 2},
             {Key::kRopeBase, "rope.freq_base", "", 150000},
             {Key::kExperts, "expert_count", ""},
             {Key::kExpertsUsed, "expert_used_count", ""},
             {Key::kExpertFeedForward, "expert_feed_forward_length", ""},
             {Key::kExpertsNormalized, "expert_weights_norm", ""}},
    .wholeYarnPairs = false,
    .experts = true,
    .activation = Activation::kSwigluOai,
    .layer = gptOssLayer,
};

} // namespace llcuda::models
