// SPDX-License-Identifier: Apache-2.0
// BERT: rows see the whole text; positions are rows of a table, norms about the mean stand behind what they are of, and
// nothing gates the feed-forward. XLM RoBERTa's table begins with rows of no position.
#include "compiler/ingest/message_parts.h"
#include "compiler/models/config_limits.h"
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr HfModule kModules[] = {{"attention.self.query", "attn_q"},
                                        {"attention.self.key", "attn_k"},
                                        {"attention.self.value", "attn_v"},
                                        {"attention.output.dense", "attn_output"},
                                        {"attention.output.LayerNorm", "attn_output_norm"},
                                        {"intermediate.dense", "ffn_up"},
                                        {"output.dense", "ffn_down"},
                                        {"output.LayerNorm", "layer_output_norm"}};
static constexpr HfModule kEmbeddings[] = {{"embeddings.word_embeddings", "token_embd"},
                                           {"embeddings.position_embeddings", "position_embd"},
                                           {"embeddings.token_type_embeddings", "token_types"},
                                           {"embeddings.LayerNorm", "token_embd_norm"}};
static constexpr std::string_view kOthers[] = {"pooler.", "bert.pooler.", "cls.", "roberta.pooler.", "lm_head."};

/// Files of BERT that generate, or whose positions are not rows of a table.
static Result<void> complete(const Keys& keys, ModelConfig&) {
  if (keys.kind() == FileKind::kGguf)
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const bool decodes, keys.all().flag("is_decoder", false));
  if (decodes)
    return unsupported("is_decoder is true, but the attention of bert goes both ways");
  LLCUDA_ASSIGN_OR_RETURN(const std::string kind, keys.all().text("position_embedding_type", "absolute"));
  if (kind != "absolute")
    return unsupported("position_embedding_type is ", ingest::Quoted{kind}, "; absolute is supported");
  return {};
}

/// Its positions are counted from the padding's number on, which has a row too.
static Result<void> completeRoberta(const Keys& keys, ModelConfig& config) {
  LLCUDA_RETURN_IF_ERROR(complete(keys, config));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t padding, keys.all().optional("pad_token_id", 1, {0, kMaxVocabulary}));
  config.skippedPositions = padding + 1;
  if (config.trainedContext <= config.skippedPositions)
    return badInput(keys.title(Key::kContext), " is ", config.trainedContext, ", the first ", config.skippedPositions,
                    " of which are no positions");
  config.trainedContext -= config.skippedPositions;
  return {};
}

static Rows begin(LayerBuilder& b, Rows x) {
  return b.layerNorm(b.withPositions(x), "token_embd_norm");
}

static Rows bertLayer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(x);
  x = b.layerNorm(b.residual(x, b.attentionOutput(b.attention(query, key, value))), "attn_output_norm");
  return b.layerNorm(b.residual(x, b.plainFeedForward(x)), "layer_output_norm");
}

static Rows end(LayerBuilder& b, Rows x) {
  return b.dense(x);
}

constexpr Family kBert{
    .architecture = "bert",
    .gguf = {"bert"},
    .huggingFace = {"BertModel", "BertForMaskedLM", "BertForPreTraining"},
    .modelTypes = {"bert"},
    .models = "BERT and its embedders (MiniLM, BGE, E5, GTE)",
    .formula = "attention both ways; positions as embeddings; LayerNorm behind each part; GELU without a gate",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 512},
             {Key::kNormEps, "attention.layer_norm_epsilon", "layer_norm_eps", 1e-12},
             {Key::kCausal, "attention.causal", "", false},
             {Key::kRopeUsed, "", "", false}},
    .tensors = kModules,
    .modelTensors = kEmbeddings,
    .hfLayers = "encoder.layer.",
    .otherTensors = kOthers,
    .activation = Activation::kGeluErf,
    .complete = complete,
    .layer = bertLayer,
    .denseModules = true,
    .encoder = true,
    .begin = begin,
    .end = end,
};

static constexpr Family robertaFrom(Family family) {
  family.architecture = "xlm-roberta";
  family.gguf = {};
  family.huggingFace = {"XLMRobertaModel", "XLMRobertaForMaskedLM", "RobertaModel", "RobertaForMaskedLM"};
  family.modelTypes = {"xlm-roberta", "roberta"};
  family.models = "RoBERTa, XLM RoBERTa and their embedders (BGE M3, multilingual E5); BERT as GGUF files";
  family.formula = "BERT, whose first rows of positions are of none";
  family.keys = {{Key::kContext, "", "max_position_embeddings", 514},
                 {Key::kNormEps, "", "layer_norm_eps", 1e-5},
                 {Key::kCausal, "", "", false},
                 {Key::kRopeUsed, "", "", false}};
  family.complete = completeRoberta;
  return family;
}

constinit const Family kXlmRoberta = robertaFrom(kBert);

} // namespace llcuda::models
