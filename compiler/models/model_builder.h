// SPDX-License-Identifier: Apache-2.0
// What every architecture shares: the function of a forward pass, its pieces by the numbers of a ModelConfig, and
// parameters that are checked against the checkpoint.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "compiler/ingest/checkpoint.h"
#include "compiler/models/import.h"
#include "compiler/models/layer_builder.h"
#include "compiler/models/model_config.h"
#include "compiler/models/rope_frequencies.h"
#include "dialects/llm/Llm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace llcuda::models {

/// Builds `@forward` op by op. A tensor that is missing or has another shape or type is remembered, and building goes
/// on with a value of the expected type, so that a model reads as its formula; finish() answers with the first such
/// error. Rows are handles of values; ops of a layer carry `llm.layer`.
class ModelBuilder final : public LayerBuilder {
public:
  ModelBuilder(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint, const ModelConfig& config,
               const ImportOptions& options);

  /// The whole forward pass: embeddings, every layer by the family's record, the head or what an encoder has for it.
  void build(const Family& family);

  Rows rmsNorm(Rows input, std::string_view name) override;
  Rows layerNorm(Rows input, std::string_view name) override;
  Rows headNorm(Rows input, std::string_view name) override;
  Rows rowNorm(Rows input, std::string_view name) override;
  Rows residual(Rows x, Rows branch) override;
  QueryKeyValue queryKeyValue(Rows input) override;
  GatedQueryKeyValue gatedQueryKeyValue(Rows input) override;
  Rows rotated(Rows input) override;
  Rows rotatedQuery(Rows input) override;
  Rows attention(Rows query, Rows key, Rows value) override;
  Rows gatedBy(Rows attended, Rows gate) override;
  LayerKind kind() const override { return layer().kind; }
  Rows shortConvolution(Rows input) override;
  Rows deltaRule(Rows input) override;
  Rows attentionOutput(Rows attended) override;
  Rows feedForward(Rows input) override;
  Rows plainFeedForward(Rows input) override;
  Rows ownEmbedding(Rows x) override;
  Rows withPositions(Rows x) override;
  Rows dense(Rows x) override;
  bool hasTensor(std::string_view name) const override { return has(named(name) + ".weight"); }
  Rows scaledBy(Rows input, std::string_view name) override;

  /// The verified module, or the first error: of a tensor, or one that the model has and nothing read.
  Result<mlir::OwningOpRef<mlir::ModuleOp>> finish();

private:
  /// Rows `first` ... `first + rows` of a tensor that has `total`; `turns` says that they are rows of heads that turn,
  /// of each the first of `headRows`, or of the head size where that is 0.
  struct Part {
    uint64_t first, rows, total;
    bool turns = false;
    uint64_t headRows = 0;
  };

  Rows embedding();
  /// What the layers make of their own embeddings of the tokens, which `embedded` are those of the model.
  mlir::Value layerEmbeddings(mlir::Value embedded);
  /// The last norm, the logits by `output` or the embeddings, and the sampled tokens.
  void head(Rows input);

  bool has(const std::string& name) const { return checkpoint.find(name) != nullptr; }
  std::string named(std::string_view name) const;
  mlir::RankedTensorType rows(int64_t columns) const;
  /// Remembers the tensor as read; null when it is missing or its shape differs from `dims` (contiguous first).
  const ingest::TensorInfo* take(const std::string& name, const std::vector<uint64_t>& dims);
  mlir::Value weight(const std::string& name, Part part, uint64_t cols);
  mlir::Value vector(const std::string& name, Part part, float plus);
  /// The same of a tensor that was taken, perhaps in vain.
  mlir::Value vectorOf(const ingest::TensorInfo* tensor, const std::string& name, Part part, float plus);
  mlir::Value parameter(mlir::Type type, const std::string& name, Part part, uint64_t firstRow, mlir::FloatAttr plus,
                        mlir::StringAttr encoding);
  /// Weights of a convolution of `columns` columns, [columns][taps].
  mlir::Value taps(const std::string& name, uint64_t columns);
  /// A vector for each value head of the delta rule: `gguf`, or `<name>.weight` in files of other names.
  mlir::Value valueHeadVector(std::string_view name, std::string_view gguf);
  mlir::Value takeColumns(mlir::Value input, uint64_t count, uint64_t group, uint64_t first);
  /// The number of a tensor of one element, where the model has it.
  std::optional<float> scalar(const std::string& name);
  /// `input` times a factor; itself where that is 1.
  mlir::Value scaled(mlir::Value input, double factor);
  /// What an adapter beside the weight `<name>.weight` adds: `<name>.lora_b` times its `lora_a` times `input`; null
  /// where there is none.
  mlir::Value lowRank(Rows input, const std::string& name, Part part, uint64_t cols);
  /// `<name>.weight` and, where the model has it, `<name>.bias` and `<name>.scale`.
  Rows linear(Rows input, std::string_view name, Part part, uint64_t cols);
  Rows linear(Rows input, std::string_view name, uint64_t rows, uint64_t cols) {
    return linear(input, name, {0, rows, rows}, cols);
  }
  /// The norm of `size` columns by themselves, or of the whole row; no rows where there are none.
  template <typename Op>
  Rows turningNorm(Rows input, std::string_view name, uint64_t size);
  /// The feed-forward of a layer of experts.
  Rows expertFeedForward(Rows input);
  /// `<name>.weight` of every expert and, where the model has it, `<name>.bias`, for those that `experts` says; with
  /// `each` `input` has a row for each choice.
  mlir::Value expertLinear(mlir::Value input, mlir::Value experts, std::string_view name, uint64_t rows, uint64_t cols,
                           bool each);
  /// The table of one of ModelConfig::ropes, with a growth over the positions or with none.
  mlir::Value ropeTable(uint32_t rope, const PositionGrowth& growth);
  Rows rotatedBy(Rows input, const PositionGrowth& growth);
  const LayerConfig& layer() const { return config.layers[static_cast<size_t>(currentLayer)]; }
  void fail(Error error);
  template <typename Op, typename... Args>
  Op create(Args&&... args) {
    Op op = Op::create(builder, std::forward<Args>(args)...);
    if (currentLayer >= 0)
      op->setAttr("llm.layer", builder.getI64IntegerAttr(currentLayer));
    return op;
  }

  const ingest::Checkpoint& checkpoint;
  const ModelConfig& config;
  const ImportOptions options;
  mlir::ImplicitLocOpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp forward;
  mlir::Value tokens, positions, slots, outputRows, sampling; ///< of an encoder the first three
  struct Table {
    RopeAngles angles;
    mlir::Value made;  ///< when a layer first turns by it
    mlir::Value grown; ///< and when queries do whose scale grows
  };
  mlir::Value embeddings;          ///< the matrix, which may also be the head
  mlir::Value ownEmbeddings;       ///< those of the layers, side by side, where they have them
  std::vector<Table> tables;       ///< of ModelConfig::ropes; equal ones are made once
  std::vector<mlir::Value> caches; ///< of the layers built so far that attend
  int64_t currentLayer = -1;
  std::unordered_set<std::string> taken;
  std::optional<Error> failure;
};

} // namespace llcuda::models
