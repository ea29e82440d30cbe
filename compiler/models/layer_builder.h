// SPDX-License-Identifier: Apache-2.0
// The pieces that a family's file puts a layer together from. What they become is the builder's: ops in ModelBuilder.
#pragma once

#include <string_view>

#include "compiler/models/model_config.h"

namespace llcuda::models {

/// Rows of activations, one for each token. A handle of the builder that answered it. Keys and values of a layer that
/// attends over another's cache are no rows: what is made of them is none either.
struct Rows {
  const void* value = nullptr;
};

/// Builds the layers of a model, one after the other. Tensors are named without `blk.N.` and `.weight`. What is wrong
/// with a tensor is the builder's to remember, so that a formula reads as one.
class LayerBuilder {
public:
  virtual ~LayerBuilder() = default;

  virtual Rows rmsNorm(Rows input, std::string_view name) = 0;
  /// The norm about the mean, with `<name>.bias` where the model has it.
  virtual Rows layerNorm(Rows input, std::string_view name) = 0;
  /// The norm of each head; the scale is in the order of the rotated rows.
  virtual Rows headNorm(Rows input, std::string_view name) = 0;
  /// The norm of whole rows of queries or keys; the scale is in the order of the rotated rows.
  virtual Rows rowNorm(Rows input, std::string_view name) = 0;
  /// The residual stream `x` with `branch` added, times the model's residual scale.
  virtual Rows residual(Rows x, Rows branch) = 0;

  struct QueryKeyValue {
    Rows query, key, value;
  };
  struct GatedQueryKeyValue {
    Rows query, key, value;
    Rows gate; ///< of what is attended
  };
  /// The linears `attn_q`, `attn_k` and `attn_v`, or the one tensor `attn_qkv` that holds them one after the other. A
  /// layer whose values may be keys takes `attn_k` for both where there is no `attn_v`.
  virtual QueryKeyValue queryKeyValue(Rows input) = 0;
  /// The same where `attn_q` has, of each head, the rows of its query and then those of its gate.
  virtual GatedQueryKeyValue gatedQueryKeyValue(Rows input) = 0;
  /// Queries or keys rotated by the positions, unless the layer rotates none.
  virtual Rows rotated(Rows input) = 0;
  /// Queries rotated, and scaled by the positions where the model says so.
  virtual Rows rotatedQuery(Rows input) = 0;
  /// Writes keys and values, if there are any, to the cache of the layer and attends over it or over the one that the
  /// layer shares, within the window of a local layer. `attn_sinks`, where the model has them, are a score more of
  /// each head, of a key without a value.
  virtual Rows attention(Rows query, Rows key, Rows value) = 0;
  /// What was attended times the sigmoid of its gate.
  virtual Rows gatedBy(Rows attended, Rows gate) = 0;
  /// What mixes the tokens of the layer.
  virtual LayerKind kind() const = 0;
  /// A convolution over the last rows of the sequence, of thirds b, c and z of `shortconv.in_proj`:
  ///   shortconv.out_proj (c * convolution(b * z))
  virtual Rows shortConvolution(Rows input) = 0;
  /// Linear attention by the gated delta rule over what a convolution makes of `attn_qkv`:
  ///   ssm_out (head norms(delta rule(silu(convolution(attn_qkv)), ssm_alpha, ssm_beta)) * silu(attn_gate))
  virtual Rows deltaRule(Rows input) = 0;
  virtual Rows attentionOutput(Rows attended) = 0;
  /// `ffn_down` of the gated unit of `ffn_gate` and `ffn_up`, or of one tensor `ffn_up` that holds both, gate first. In
  /// a layer of experts the sum of what those that `ffn_gate_inp` chooses make by `ffn_gate_exps` and so on.
  virtual Rows feedForward(Rows input) = 0;
  /// `ffn_down` of the activation of `ffn_up`, which nothing gates.
  virtual Rows plainFeedForward(Rows input) = 0;
  /// `x` with what the layer makes of its own embedding of the tokens; `x` where the model has none:
  ///   own = (norm(per_layer_model_proj embedded / sqrt(width)) + sqrt(columns) per_layer_token_embd[token]) / sqrt(2)
  ///   x += norm(proj (activation(inp_gate x) * own))
  virtual Rows ownEmbedding(Rows x) = 0;
  /// `x` with the row of each position of `position_embd` added.
  virtual Rows withPositions(Rows x) = 0;
  /// The linears `dense_2`, `dense_3` and so on, one after the other, as many as the model has.
  virtual Rows dense(Rows x) = 0;
  /// Whether the layer has the tensor.
  virtual bool hasTensor(std::string_view name) const = 0;
  /// The input times the one number of a tensor, where the layer has it.
  virtual Rows scaledBy(Rows input, std::string_view name) = 0;
};

} // namespace llcuda::models
