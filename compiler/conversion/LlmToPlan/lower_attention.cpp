// SPDX-License-Identifier: Apache-2.0
// Queries, keys, values, rotation, cache and attention: codegen/spec/{linear,rope,attention}_spec.h
#include "codegen/spec/attention_spec.h"

#include "codegen/spec/linear_spec.h"
#include "codegen/spec/rope_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;
using mlir::Value;

namespace {

mlir::FailureOr<codegen::KvCacheDesc> keptCache(Operation* op, mlir::TypedValue<CacheType> cache,
                                                const PlanBuilder& plan) {
  if (const auto kept = plan.cache(cache))
    return *kept;
  return op->emitOpError("has a cache of ") << cache.getType() << ", which no kernel does";
}

LogicalResult checkTable(Operation* op, Value table, const PlanLimits& limits) {
  const int64_t positions = llvm::cast<mlir::ShapedType>(table.getType()).getDimSize(0);
  if (positions < limits.maxContext)
    return op->emitOpError("has a rope table of ") << positions << " positions for a context of " << limits.maxContext;
  return success();
}

/// A rotation by `table`, or none, after a norm of `eps`, or none.
codegen::HeadTurnDesc turnOf(Value table, RopePairs pairs, std::optional<llvm::APFloat> eps) {
  codegen::HeadTurnDesc turn;
  if (table)
    turn.dimensions = 2 * static_cast<uint32_t>(llvm::cast<mlir::ShapedType>(table.getType()).getDimSize(1));
  turn.halves = table && pairs == RopePairs::Halves;
  turn.norm = eps.has_value();
  turn.eps = eps ? eps->convertToFloat() : 0;
  return turn;
}

/// The three linears of x.
template <typename Op>
LinearWeights qkvWeights(Op op) {
  LinearWeights weights = {
      {op.getQWeight(), op.getKWeight(), op.getVWeight()}, {}, {op.getQAdded(), op.getKAdded(), op.getVAdded()}};
  if (op.getQBias())
    weights.biases = {op.getQBias(), op.getKBias(), op.getVBias()};
  return weights;
}

} // namespace

// Without norms of heads and with adjacent pairs a decode phase does all of it in one launch, unless the cache has more
// of a head than the weights have rows.
LogicalResult PhaseLowering::lowerQkvRopeCache(QkvRopeCacheOp op) {
  const auto kept = keptCache(op, op.getCache(), plan);
  if (failed(kept) || failed(checkTable(op, op.getTable(), plan.limits())))
    return failure();
  const bool whole = llvm::cast<CacheType>(op.getCache().getType()).getHeadSize() % 8 == 0;
  const bool plain = !op.getQScale() && op.getPairs() == RopePairs::Adjacent && whole;
  return hasFewRows() && !isApart(op) && plain ? emitQkvRopeCache(op, *kept) : emitQkvThenRopeCache(op, *kept);
}

LogicalResult PhaseLowering::emitQkvRopeCache(QkvRopeCacheOp op, const codegen::KvCacheDesc& kept) {
  const codegen::RopeCacheRows epilogue = {
      .headSize = static_cast<uint32_t>(llvm::cast<CacheType>(op.getCache().getType()).getHeadSize()),
      .dimensions = turnOf(op.getTable(), op.getPairs(), {}).dimensions,
      .cache = kept};
  return emitLinear(op, op.getInput(), qkvWeights(op), epilogue,
                    {{"rope_table", plan.constant(op.getTable())},
                     {"k_pages", plan.pool(op.getCache(), plan::KvPart::Keys)},
                     {"v_pages", plan.pool(op.getCache(), plan::KvPart::Values)},
                     {"block_table", plan.blockTable(op.getCache())},
                     {"q", define(op, op.getQuery(), "q", rows).f32}});
}

// The linears, then one launch that norms, rotates and fills the pages.
LogicalResult PhaseLowering::emitQkvThenRopeCache(QkvRopeCacheOp op, const codegen::KvCacheDesc& kept) {
  const auto cache = llvm::cast<CacheType>(op.getCache().getType());
  const int64_t queryColumns = columnsOf(op.getQuery());
  const std::string q = scratch(op, "q_linear", rows * queryColumns * 4);
  const std::string k = scratch(op, "k_linear", rows * cache.getColumns() * 4);
  const std::string v = scratch(op, "v_linear", rows * cache.getColumns() * 4);
  if (failed(emitQkvLinear(op, q, k, v)))
    return failure();
  return emitRopeCache(op, kept, {}, {{"q", q}, {"k", k}, {"v", v}});
}

LogicalResult PhaseLowering::lowerRopeCache(RopeCacheOp op) {
  const auto kept = keptCache(op, op.getCache(), plan);
  if (failed(kept) || failed(checkTable(op, op.getTable(), plan.limits())))
    return failure();
  const RowBuffers& q = values[op.getQ()];
  Bindings bindings = {{"q", q.floats()}, {"k", values[op.getK()].f32}, {"v", values[op.getV()].f32}};
  if (op.getVScale())
    bindings["v_scale"] = plan.constant(op.getVScale());
  return emitRopeCache(op, *kept, {.queries = q.view, .valueNorm = static_cast<bool>(op.getVScale())}, bindings);
}

template <typename Op>
LogicalResult PhaseLowering::emitRopeCache(Op op, const codegen::KvCacheDesc& kept, codegen::RopeCacheDesc desc,
                                           Bindings bindings) {
  const CacheType cache = op.getCache().getType();
  desc.rows = static_cast<uint32_t>(rows);
  desc.heads = static_cast<uint32_t>(columnsOf(op.getQuery()) / cache.getHeadSize());
  desc.kvHeads = static_cast<uint32_t>(cache.getHeads());
  desc.headSize = static_cast<uint32_t>(cache.getHeadSize());
  desc.turn = turnOf(op.getTable(), op.getPairs(), op.getEps());
  desc.f16Queries = !hasRowsApart();
  desc.cache = kept;
  if (failed(accept(op, codegen::checkRopeCache(desc))))
    return failure();
  bindings.insert({{"rope_table", plan.constant(op.getTable())},
                   {"q_turned", defineQuery(op, op.getQuery(), "q")},
                   {"k_pages", plan.pool(op.getCache(), plan::KvPart::Keys)},
                   {"v_pages", plan.pool(op.getCache(), plan::KvPart::Values)},
                   {"block_table", plan.blockTable(op.getCache())}});
  if (op.getQScale()) {
    bindings["q_scale"] = plan.constant(op.getQScale());
    bindings["k_scale"] = plan.constant(op.getKScale());
  }
  return emit(op, codegen::ropeCacheLaunch(desc), bindings);
}

// One launch; weights that tensor cores do not take have one each.
template <typename Op>
LogicalResult PhaseLowering::emitQkvLinear(Op op, const std::string& q, const std::string& k, const std::string& v) {
  const LinearWeights weights = qkvWeights(op);
  const auto desc = describeLinear(op, weights, codegen::StoreRows{});
  if (failed(desc))
    return failure();
  if (desc->parts[1].outputs != desc->parts[2].outputs)
    return op.emitOpError("has keys and values of different widths, which no kernel does");
  if (hasFewRows() || codegen::checkLinear(*desc))
    return emitLinear(op, *desc, values[op.getInput()], weights, {{"q", q}, {"k", k}, {"v", v}});
  const std::string* results[] = {&q, &k, &v};
  for (size_t i = 0; i < 3; ++i)
    if (failed(emitLinear(op, op.getInput(), weights.only(i), codegen::StoreRows{}, {{"y", *results[i]}})))
      return failure();
  return mlir::success();
}

LogicalResult PhaseLowering::lowerQkvLinear(QkvLinearOp op) {
  const std::string q = define(op, op.getQuery(), "query", rows).f32;
  const std::string k = define(op, op.getKey(), "key", rows).f32;
  const std::string v = define(op, op.getValue(), "value", rows).f32;
  return emitQkvLinear(op, q, k, v);
}

std::string PhaseLowering::defineQuery(Operation* op, Value query, const std::string& name) {
  if (hasRowsApart() || !llvm::all_of(query.getUsers(), llvm::IsaPred<AttentionOp>))
    return define(op, query, name, rows).f32;
  RowBuffers& buffers = values[query];
  buffers.rows = rows;
  return buffers.f16 = scratch(op, name, rows * columnsOf(query) * 2);
}

LogicalResult PhaseLowering::emitHeadRows(Operation* op, Value input, int64_t headSize, codegen::HeadTurnDesc turn,
                                          Bindings bindings, bool f16Rows) {
  codegen::HeadRowsDesc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.heads = static_cast<uint32_t>(columnsOf(input) / headSize);
  desc.headSize = static_cast<uint32_t>(headSize);
  desc.turn = turn;
  desc.f16Rows = f16Rows;
  if (failed(accept(op, codegen::checkHeadRows(desc))))
    return failure();
  bindings["x"] = values[input].f32;
  return emit(op, codegen::headRowsLaunch(desc), bindings);
}

LogicalResult PhaseLowering::lowerHeadNorm(HeadNormOp op) {
  const codegen::HeadTurnDesc turn = turnOf({}, RopePairs::Adjacent, op.getEps());
  const Bindings bindings = {{"scale", plan.constant(op.getScale())}, {"y", defineQuery(op, op.getResult(), "normed")}};
  return emitHeadRows(op, op.getInput(), columnsOf(op.getScale()), turn, bindings, !values[op.getResult()].f16.empty());
}

LogicalResult PhaseLowering::lowerRope(RopeOp op) {
  if (failed(checkTable(op, op.getTable(), plan.limits())))
    return failure();
  const codegen::HeadTurnDesc turn = turnOf(op.getTable(), op.getPairs(), op.getEps());
  Bindings bindings = {{"rope_table", plan.constant(op.getTable())}, {"y", defineQuery(op, op.getResult(), "turned")}};
  if (op.getScale())
    bindings["scale"] = plan.constant(op.getScale());
  return emitHeadRows(op, op.getInput(), static_cast<int64_t>(op.getHeadSize()), turn, bindings,
                      !values[op.getResult()].f16.empty());
}

LogicalResult PhaseLowering::lowerCacheWrite(CacheWriteOp op) {
  const CacheType cache = op.getCache().getType();
  const auto kept = keptCache(op, op.getCache(), plan);
  if (failed(kept))
    return failure();
  codegen::RopeCacheDesc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.heads = 0;
  desc.kvHeads = static_cast<uint32_t>(cache.getHeads());
  desc.headSize = static_cast<uint32_t>(cache.getHeadSize());
  desc.cache = *kept;
  if (failed(accept(op, codegen::checkRopeCache(desc))))
    return failure();
  return emit(op, codegen::ropeCacheLaunch(desc),
              {{"k", values[op.getKeys()].f32},
               {"v", values[op.getValues()].f32},
               {"k_pages", plan.pool(op.getCache(), plan::KvPart::Keys)},
               {"v_pages", plan.pool(op.getCache(), plan::KvPart::Values)},
               {"block_table", plan.blockTable(op.getCache())}});
}

LogicalResult PhaseLowering::lowerAttention(AttentionOp op) {
  const CacheType cache = op.getCache().getType();
  const auto kept = keptCache(op, op.getCache(), plan);
  if (failed(kept))
    return failure();
  codegen::AttentionDesc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.heads = static_cast<uint32_t>(op.getHeads());
  desc.kvHeads = static_cast<uint32_t>(cache.getHeads());
  desc.headSize = static_cast<uint32_t>(cache.getHeadSize());
  desc.cache = *kept;
  desc.scale = op.getScale().convertToFloat();
  desc.window = static_cast<uint32_t>(op.getWindow().value_or(0));
  desc.softcap = op.getSoftcap() ? op.getSoftcap()->convertToFloat() : 0;
  desc.sinks = static_cast<bool>(op.getSinks());
  desc.bothWays = op.getBothWays();
  if (desc.bothWays && hasRowsApart())
    return op.emitOpError("goes both ways in a phase whose rows are of any slots, which no kernel does");
  // A block makes one head: where 32 columns reach into the next head, the rows become int8 rows by their reader's
  // launch.
  desc.int8Rows = isQ8Rows(op.getResult().getType()) && cache.getHeadSize() % kQ8Block == 0;
  desc.f32Rows = !desc.int8Rows || feedsLowRank(op.getResult());
  desc.order = orderOf(/*picked=*/false);
  if (failed(accept(op, codegen::checkAttention(desc))) || failed(provideQuery(op)))
    return failure();

  const RowBuffers& query = values[op.getQuery()];
  Bindings bindings = {{"q", hasRowsApart() ? query.f32 : query.f16},
                       {"k_pages", plan.pool(op.getCache(), plan::KvPart::Keys)},
                       {"v_pages", plan.pool(op.getCache(), plan::KvPart::Values)},
                       {"block_table", plan.blockTable(op.getCache())}};
  if (op.getSinks())
    bindings["sinks"] = plan.constant(op.getSinks());
  bindRows(bindings, "y", define(op, op.getResult(), "attended", rows, desc.int8Rows));
  if (!hasRowsApart())
    return emit(op, codegen::attentionPromptLaunch(desc), bindings);
  if (codegen::attentionSplits(desc) > 1) {
    bindings["partial"] = scratch(op, "partial", static_cast<int64_t>(codegen::attentionPartialBytes(desc)));
    bindings["arrivals"] = plan.counter(codegen::attentionArrivals(desc));
  }
  return emit(op, codegen::attentionDecodeLaunch(desc), bindings);
}

// Prompt attention reads f16 queries; those that were made as f32 rows are rounded here.
LogicalResult PhaseLowering::provideQuery(AttentionOp op) {
  const Value query = op.getQuery();
  if (hasRowsApart() || !values[query].f16.empty())
    return success();
  const std::string rounded = scratch(op, "q_f16", rows * columnsOf(query) * 2);
  values[query].f16 = rounded;
  const int64_t headSize = llvm::cast<CacheType>(op.getCache().getType()).getHeadSize();
  return emitHeadRows(op, query, headSize, {}, {{"y", rounded}}, /*f16Rows=*/true);
}

} // namespace llcuda::llm
