// SPDX-License-Identifier: Apache-2.0
// The launches of one phase. Each op family is lowered in a file of its own.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/expert_spec.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/rope_spec.h"
#include "compiler/conversion/LlmToPlan/plan_builder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/base/result.h"

namespace llcuda::llm {

/// The arena buffers that hold a value; empty where it is not held in that form.
struct RowBuffers {
  std::string f32;
  std::string f16;   ///< rotated queries of a prompt
  std::string codes; ///< int8 rows: codes and scales, in `order`
  std::string scales;
  std::string halves; ///< f16 rows in the order of fragments, and their scales
  std::string halfScales;
  RowOrder order = RowOrder::kRows;
  int64_t rows = 0;
  bool picked = false;   ///< row r is row output_rows[r] of the phase
  codegen::RowView view; ///< how the f32 rows lie in their buffer
  int64_t offset = 0;    ///< where they begin in it, in bytes

  /// The f32 rows of a launch that reads views.
  BoundBuffer floats() const { return {f32, offset}; }
};

inline llcuda::Activation activationOf(llm::Activation activation) {
  return static_cast<llcuda::Activation>(activation); // the same numbers: compiler/emit/schema_enums.cpp
}

inline codegen::SumForm sumFormOf(LinearResidualNormOp op) {
  return {op.getFactor() ? op.getFactor()->convertToFloat() : 1.f, !op.getScale()};
}

/// The weights of a linear, in the order of codegen/spec/linear_spec.h, and their biases, or none.
struct LinearWeights {
  llvm::SmallVector<mlir::Value, 3> weights, biases;
  llvm::SmallVector<mlir::Value, 3> added; ///< to the product of each, or null

  /// One of them, for a launch of its own.
  LinearWeights only(size_t part) const {
    LinearWeights one = {{weights[part]}, {}, {added[part]}};
    if (!biases.empty())
      one.biases.push_back(biases[part]);
    return one;
  }
};

class PhaseLowering {
public:
  /// `apart` names ops whose decode launches are those of a prompt phase: linears, then what follows them.
  PhaseLowering(PlanBuilder& plan, const PhaseFacts& facts, llvm::ArrayRef<std::string> apart);

  /// Appends the phase. An op that no kernel does is reported on the op.
  mlir::LogicalResult lower(mlir::func::FuncOp forward);

private:
  mlir::LogicalResult lowerOp(mlir::Operation* op);
  // lower_rows.cpp
  mlir::LogicalResult lowerEmbedding(EmbeddingOp op);
  mlir::LogicalResult lowerRmsNorm(RmsNormOp op);
  mlir::LogicalResult lowerLayerNorm(LayerNormOp op);
  mlir::LogicalResult lowerNorm(mlir::Operation* op, std::string x, mlir::Value scale, const llvm::APFloat& eps,
                                mlir::Value result, uint32_t threads = 0);
  /// A norm of rows, with what is added before it or without.
  struct Norm {
    mlir::Operation* op = nullptr;
    std::string x, residual;      ///< the second, and `sum`, with a post-norm alone
    mlir::Value postScale, scale; ///< without the second what is emitted is the sum
    float eps = 0;
    uint32_t threads = 0; ///< as codegen::RmsNormDesc
    float factor = 1;     ///< of the sum
  };
  /// Its launch for the rows of `y`, which has its buffers: those that the tail picks, or all.
  mlir::LogicalResult emitNorm(const Norm& norm, const RowBuffers& y, bool picked, const std::string& sum);
  mlir::LogicalResult emitPostNorm(LinearResidualNormOp op, const std::string& product, const std::string& residual,
                                   uint32_t threads);
  mlir::LogicalResult lowerQuantize(QuantizeOp op);
  mlir::LogicalResult lowerGlu(GluOp op);
  mlir::LogicalResult lowerActivate(ActivateOp op);
  mlir::LogicalResult emitGlu(mlir::Operation* op, llm::Activation activation, const RowBuffers& gate,
                              const RowBuffers& up, mlir::Value result, int64_t count);
  // lower_linears.cpp
  mlir::LogicalResult lowerLinear(LinearOp op);
  mlir::LogicalResult lowerLinearResidualNorm(LinearResidualNormOp op);
  mlir::LogicalResult emitLinearResidualNorm(LinearResidualNormOp op);
  mlir::LogicalResult emitLinearThenNorm(LinearResidualNormOp op);
  mlir::LogicalResult lowerLinearGlu(LinearGluOp op);
  mlir::LogicalResult lowerGluLinear(GluLinearOp op);
  mlir::LogicalResult emitLinearsThenGlu(GluLinearOp op);
  /// The description of one launch of every row of the phase.
  mlir::FailureOr<codegen::LinearDesc> describeLinear(mlir::Operation* op, const LinearWeights& weights,
                                                      const codegen::LinearEpilogue& epilogue);
  /// That launch. `bindings` has what the epilogue wants; weights, biases and rows are added.
  mlir::LogicalResult emitLinear(mlir::Operation* op, const codegen::LinearDesc& desc, RowBuffers& input,
                                 const LinearWeights& weights, Bindings bindings);
  mlir::LogicalResult emitLinear(mlir::Operation* op, mlir::Value input, const LinearWeights& weights,
                                 const codegen::LinearEpilogue& epilogue, const Bindings& bindings);
  // lower_experts.cpp
  mlir::LogicalResult lowerRoute(RouteOp op);
  mlir::LogicalResult lowerExpertLinear(ExpertLinearOp op);
  mlir::LogicalResult lowerExpertGluLinear(ExpertGluLinearOp op);
  mlir::LogicalResult lowerExpertSum(ExpertSumOp op);
  /// Rows for the experts' linears that multiply each choice by itself, in the forms that they read; int8 rows of f32
  /// rows are made once for all of them.
  mlir::FailureOr<RowBuffers> rowsApart(mlir::Operation* op, mlir::Value input, const codegen::RowsRead& read);
  /// The choices of a router in tiles of one expert each.
  struct SortedChoices {
    codegen::SortChoicesDesc desc;
    std::string sorted, tileExperts;
  };
  /// Binds the rows of experts' linears and what says whose they are; decides whether they are sorted, in `desc`.
  template <typename Op, typename Desc>
  mlir::LogicalResult bindExperts(Op op, mlir::Value input, bool each, Desc& desc, Bindings& bindings);
  /// Whether tensor cores multiply the sorted choices of a router: all linears that take it can, and there are more
  /// rows than decode's kernels are for.
  bool sortsChoices(mlir::Value experts);
  /// A launch sorts them when they are first asked for.
  mlir::FailureOr<SortedChoices> sortedChoices(mlir::Operation* op, mlir::Value experts, int64_t count);
  /// Rows of sorted choices, in the forms that are read; made once for all linears of a router.
  mlir::FailureOr<RowBuffers> sortedRows(mlir::Operation* op, mlir::Value input, bool each,
                                         const SortedChoices& choices, const codegen::RowsRead& read);
  // lower_low_rank.cpp
  /// The inner products of the op; the linears that take the op's result add the outer ones.
  mlir::LogicalResult lowerLowRank(LowRankOp op);
  mlir::FailureOr<LowRankOp> lowRankOf(mlir::Operation* op, mlir::Value added);
  RowBuffers& lowRows(LowRankOp op) { return lows[{op.getInput().getAsOpaquePointer(), weightBuffer(op.getA())}]; }
  /// Says in `desc` what its parts add.
  mlir::LogicalResult describeAdded(mlir::Operation* op, const LinearWeights& weights, codegen::LinearDesc& desc);
  /// Binds what they add.
  mlir::LogicalResult bindAdded(mlir::Operation* op, const LinearWeights& weights, Bindings& bindings);
  /// Whether rows are wanted as f32 rows beside int8 rows.
  static bool feedsLowRank(mlir::Value rows) { return llvm::any_of(rows.getUsers(), llvm::IsaPred<LowRankOp>); }
  // lower_attention.cpp
  mlir::LogicalResult lowerQkvRopeCache(QkvRopeCacheOp op);
  mlir::LogicalResult emitQkvRopeCache(QkvRopeCacheOp op, const codegen::KvCacheDesc& kept);
  mlir::LogicalResult emitQkvThenRopeCache(QkvRopeCacheOp op, const codegen::KvCacheDesc& kept);
  mlir::LogicalResult lowerRopeCache(RopeCacheOp op);
  /// What follows the linears, of an op that norms, turns and keeps heads: `bindings` has q, k and v.
  template <typename Op>
  mlir::LogicalResult emitRopeCache(Op op, const codegen::KvCacheDesc& kept, codegen::RopeCacheDesc desc,
                                    Bindings bindings);
  mlir::LogicalResult lowerQkvLinear(QkvLinearOp op);
  template <typename Op>
  mlir::LogicalResult emitQkvLinear(Op op, const std::string& q, const std::string& k, const std::string& v);
  mlir::LogicalResult lowerHeadNorm(HeadNormOp op);
  mlir::LogicalResult lowerRope(RopeOp op);
  mlir::LogicalResult emitHeadRows(mlir::Operation* op, mlir::Value input, int64_t headSize, codegen::HeadTurnDesc turn,
                                   Bindings bindings, bool f16Rows);
  mlir::LogicalResult lowerCacheWrite(CacheWriteOp op);
  mlir::LogicalResult lowerAttention(AttentionOp op);
  mlir::LogicalResult provideQuery(AttentionOp op);
  /// The buffer of queries: f16 for blocks of rows, if attention alone reads them, else f32 rows.
  std::string defineQuery(mlir::Operation* op, mlir::Value query, const std::string& name);
  // lower_states.cpp
  mlir::LogicalResult lowerShortConv(ShortConvOp op);
  mlir::LogicalResult lowerDeltaRule(DeltaRuleOp op);
  // lower_elementwise.cpp
  mlir::LogicalResult lowerAdd(AddOp op);
  mlir::LogicalResult lowerScale(ScaleOp op);
  mlir::LogicalResult lowerSoftcap(SoftcapOp op);
  mlir::LogicalResult lowerTakeColumns(TakeColumnsOp op);
  /// Whether the launch that reads f32 rows there reads some columns of wider rows as well.
  static bool readsViews(mlir::OpOperand& use);
  /// The rows that the tail wants, as f32 rows.
  mlir::LogicalResult pickRows(mlir::Operation* op, mlir::Value input, RowBuffers& picked);
  // lower_head.cpp
  mlir::LogicalResult lowerHead(HeadOp op);
  mlir::LogicalResult lowerSample(SampleOp op);
  // lower_tails.cpp
  /// What may follow the tail that samples.
  mlir::LogicalResult lowerOtherTails(SampleOp op);
  mlir::LogicalResult lowerScore(SampleOp op, HeadOp head);
  /// Sums of the rows that `op` reads.
  mlir::LogicalResult lowerPool(mlir::Operation* op, mlir::Value input);
  /// What an encoder returns is pooled.
  mlir::LogicalResult lowerReturn(mlir::func::ReturnOp op);
  /// A score of each row of the logits of this tail: of the token that `tokens` says of it.
  mlir::LogicalResult emitLogProbabilities(SampleOp op, plan::IoRole tokens);
  /// The rows that the tail wants of what the head reads, as the head reads them.
  mlir::LogicalResult pickNormed(HeadOp op, RowBuffers& picked);
  /// The norm that picks the rows of the head is the first launch of the tail that samples.
  void beginTail(const Norm& norm) {
    headNorm = norm;
    tail = plan::TailKind::Sample;
  }
  /// The io buffer that says which rows these are.
  std::string pickBuffer();

  /// Whether attention takes the rows one by one, whatever their slots, with f32 queries; else by blocks of a slot.
  bool hasRowsApart() const { return facts.rowBlock == 1; }
  /// Whether linears take the kernels of few rows, which read each weight once for all; else tensor cores.
  bool hasFewRows() const { return hasRowsApart() && rows <= codegen::kMaxDecodeRows; }
  codegen::LinearKernels linearKernels() const {
    return hasFewRows() ? codegen::LinearKernels::kFewRows : codegen::LinearKernels::kManyRows;
  }
  codegen::LinearKernels headKernels() const {
    return outputs <= codegen::kMaxDecodeRows ? codegen::LinearKernels::kFewRows : codegen::LinearKernels::kManyRows;
  }
  bool isApart(mlir::Operation* op) const { return llvm::is_contained(apart, op->getName().stripDialect()); }
  /// Whether a norm's rows are read by the head alone, which wants those of output_rows.
  bool isPicked(mlir::Value normed) const;
  /// The layout of a weight; reports a weight that has none or is not a parameter.
  mlir::FailureOr<WeightLayout> layoutOf(mlir::Operation* op, mlir::Value weight);
  std::string weightBuffer(mlir::Value weight) { return plan.weight(weight.getDefiningOp<ParameterOp>()); }
  /// The order of int8 rows of the phase, or of those that its head reads: as the linears that read them take them.
  RowOrder orderOf(bool picked) const {
    return picked ? codegen::rowOrderOf(headKernels(), outputs) : codegen::rowOrderOf(linearKernels(), rows);
  }
  /// Buffers of a result, f32 or int8 rows, or both where a low-rank product reads them. Rows that are sampled or
  /// returned are the io buffer of logits.
  RowBuffers& define(mlir::Operation* op, mlir::Value result, const std::string& name, int64_t rowCount, bool int8Rows,
                     bool picked = false);
  /// Buffers of int8 rows for buffers.rows.
  void addCodes(mlir::Operation* op, RowBuffers& buffers, RowOrder order, const std::string& name, int64_t columns);
  /// The same, as the result's type says.
  RowBuffers& define(mlir::Operation* op, mlir::Value result, const std::string& name, int64_t rowCount) {
    return define(op, result, name, rowCount, isQ8Rows(result.getType()));
  }
  /// An arena buffer `<phase>.<layer>.<name>`.
  std::string scratch(mlir::Operation* op, const std::string& name, int64_t bytes);
  /// Binds the rows in the forms in which the layouts read them; adds a launch that makes a form which is missing.
  mlir::LogicalResult bindInput(mlir::Operation* op, const codegen::LinearDesc& desc, RowBuffers& buffers,
                                Bindings& bindings);
  mlir::LogicalResult provideCodes(mlir::Operation* op, const codegen::LinearDesc& desc, RowBuffers& buffers);
  mlir::LogicalResult provideHalves(mlir::Operation* op, const codegen::LinearDesc& desc, RowBuffers& buffers);
  /// Buffers of f16 rows for buffers.rows.
  void addHalves(mlir::Operation* op, RowBuffers& buffers, const std::string& name, int64_t columns);
  /// The forms besides int8 rows in which a norm's readers want its rows: f16 rows, where tensor cores multiply them.
  struct FloatForms {
    bool f32 = false, halves = false;
  };
  FloatForms floatFormsOf(mlir::Value normed) const;
  /// Buffers of what a norm emits.
  RowBuffers& defineNormed(mlir::Operation* op, mlir::Value normed, int64_t rowCount, bool int8Rows, bool picked,
                           FloatForms forms);
  /// Whether these rows are what is sampled, or what the function returns first; nothing of an
  /// encoder is.
  bool isLogits(mlir::Value rows) const;
  static void bindRows(Bindings& bindings, const std::string& name, const RowBuffers& buffers);
  /// Appends the launch; parameters that `bindings` lacks are io buffers of their name.
  mlir::LogicalResult emit(mlir::Operation* op, const codegen::LaunchSpec& spec, Bindings bindings);
  /// Says that the launch that was appended last made `sum`, the residual stream after `op`. The last one of a layer
  /// is the layer's tap, unless it holds only the rows that were picked.
  void noteResidual(mlir::Operation* op, mlir::Value sum);
  /// Reports what a check of codegen/spec refuses.
  static mlir::LogicalResult accept(mlir::Operation* op, const Result<void>& checked);
  int64_t ioBytes(plan::IoRole role) const;

  PlanBuilder& plan;
  PhaseFacts facts;
  int64_t rows;
  int64_t outputs; ///< of the tail
  int64_t vocabulary = 0;
  llvm::ArrayRef<std::string> apart;
  plan::PhaseOp phase;
  std::string prefix;                 // of names in the arena
  std::optional<plan::TailKind> tail; // of the launches that follow; none: the trunk
  Norm headNorm;                      // that makes the rows which the head reads, where it picks them
  llvm::DenseMap<mlir::Value, RowBuffers> values;
  llvm::DenseMap<mlir::Value, RowBuffers> apartRows;   ///< int8 rows by themselves, of those that experts read
  llvm::DenseMap<mlir::Value, RowBuffers> sortedForms; ///< of those that experts read, rows of sorted choices
  llvm::DenseMap<mlir::Value, SortedChoices> sorts;    ///< of routers
  std::map<std::pair<const void*, std::string>, RowBuffers> lows; // by the rows and the buffer of a that they are of
  plan::LaunchOp lastLaunch;
  /// The residual stream of each layer so far: what made it, and where it lies; empty where not all rows do.
  struct Residual {
    plan::LaunchOp launch;
    std::string buffer;
  };
  std::map<int64_t, Residual> streams;
};

} // namespace llcuda::llm
