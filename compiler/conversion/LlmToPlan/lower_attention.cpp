// SPDX-License-Identifier: Apache-2.0
// Queries, keys, values, rotation, cache and attention: codegen/spec/{linear,rope,attention}_spec.h
#include "codegen/spec/attention_spec.h"

#include "codegen/spec/linear_spec.h"
#include "codegen/spec/rope_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {
namespace {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;

// What neither form of the launch does.
LogicalResult checkQkv(QkvRopeCacheOp op, const PlanLimits& limits) {
  const auto cache = llvm::cast<CacheType>(op.getCache().getType());
  if (cache.getKeyEncoding() != formats::TensorType::kF16 || cache.getValueEncoding() != formats::TensorType::kF16)
    return op.emitOpError("writes a cache that is not f16");
  if (op.getQScale())
    return op.emitOpError("norms queries and keys by head, which no kernel does");
  if (op.getPairs() != RopePairs::Adjacent)
    return op.emitOpError("turns halves; kernels turn adjacent pairs, see pair_rows of llm.parameter");
  const auto table = llvm::cast<mlir::ShapedType>(op.getTable().getType());
  if (table.getDimSize(0) < limits.maxContext)
    return op.emitOpError("has a rope table of ")
           << table.getDimSize(0) << " positions for a context of " << limits.maxContext;
  return mlir::success();
}

} // namespace

LogicalResult PhaseLowering::lowerQkvRopeCache(QkvRopeCacheOp op) {
  if (failed(checkQkv(op, plan.limits())))
    return failure();
  if (!isDecode())
    return lowerQkvRopeCachePrompt(op);
  const auto q = layoutOf(op, op.getQWeight()), k = layoutOf(op, op.getKWeight()), v = layoutOf(op, op.getVWeight());
  Bindings bindings;
  if (failed(q) || failed(k) || failed(v) || failed(bindInput(op, op.getInput(), {*q, *k, *v}, bindings)))
    return failure();
  const auto cache = llvm::cast<CacheType>(op.getCache().getType());
  codegen::QkvRopeCacheDesc desc;
  desc.qLayout = *q;
  desc.kLayout = *k;
  desc.vLayout = *v;
  desc.rows = static_cast<uint32_t>(rows);
  desc.inputs = static_cast<uint32_t>(columnsOf(op.getInput()));
  desc.heads = static_cast<uint32_t>(columnsOf(op.getQuery()) / cache.getHeadSize());
  desc.kvHeads = static_cast<uint32_t>(cache.getHeads());
  desc.headSize = static_cast<uint32_t>(cache.getHeadSize());
  desc.dimensions = 2 * static_cast<uint32_t>(llvm::cast<mlir::ShapedType>(op.getTable().getType()).getDimSize(1));
  desc.maxContext = static_cast<uint32_t>(plan.limits().maxContext);
  desc.pageTokens = static_cast<uint32_t>(plan.limits().pageTokens);
  desc.bias = static_cast<bool>(op.getQBias());
  if (failed(accept(op, codegen::checkQkvRopeCache(desc))))
    return failure();
  if (desc.bias) {
    bindings["q_bias"] = plan.constant(op.getQBias());
    bindings["k_bias"] = plan.constant(op.getKBias());
    bindings["v_bias"] = plan.constant(op.getVBias());
  }
  bindings["q_weight"] = weightBuffer(op.getQWeight());
  bindings["k_weight"] = weightBuffer(op.getKWeight());
  bindings["v_weight"] = weightBuffer(op.getVWeight());
  bindings["rope_table"] = plan.constant(op.getTable());
  bindings["k_pages"] = plan.pool(cache, 'k');
  bindings["v_pages"] = plan.pool(cache, 'v');
  bindings["q"] = define(op, op.getQuery(), "q", rows).f32;
  return emit(op, codegen::qkvRopeCacheLaunch(desc), bindings);
}

// The three linears, then one launch that rotates and fills the pages.
LogicalResult PhaseLowering::lowerQkvRopeCachePrompt(QkvRopeCacheOp op) {
  const auto cache = llvm::cast<CacheType>(op.getCache().getType());
  const int64_t queryColumns = columnsOf(op.getQuery());
  const std::string q = scratch(op, "q_linear", rows * queryColumns * 4);
  const std::string k = scratch(op, "k_linear", rows * cache.getColumns() * 4);
  const std::string v = scratch(op, "v_linear", rows * cache.getColumns() * 4);
  if (failed(emitLinear(op, op.getInput(), op.getQWeight(), op.getQBias(), "", q)) ||
      failed(emitLinear(op, op.getInput(), op.getKWeight(), op.getKBias(), "", k)) ||
      failed(emitLinear(op, op.getInput(), op.getVWeight(), op.getVBias(), "", v)))
    return failure();
  codegen::RopeCacheDesc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.heads = static_cast<uint32_t>(queryColumns / cache.getHeadSize());
  desc.kvHeads = static_cast<uint32_t>(cache.getHeads());
  desc.headSize = static_cast<uint32_t>(cache.getHeadSize());
  desc.dimensions = 2 * static_cast<uint32_t>(llvm::cast<mlir::ShapedType>(op.getTable().getType()).getDimSize(1));
  desc.maxContext = static_cast<uint32_t>(plan.limits().maxContext);
  desc.pageTokens = static_cast<uint32_t>(plan.limits().pageTokens);
  if (failed(accept(op, codegen::checkRopeCache(desc))))
    return failure();
  const std::string rotated = scratch(op, "q", rows * queryColumns * 2);
  values[op.getQuery()].f16 = rotated;
  return emit(op, codegen::ropeCacheLaunch(desc),
              {{"q", q},
               {"k", k},
               {"v", v},
               {"rope_table", plan.constant(op.getTable())},
               {"q_rotated", rotated},
               {"k_pages", plan.pool(cache, 'k')},
               {"v_pages", plan.pool(cache, 'v')}});
}

LogicalResult PhaseLowering::lowerAttention(AttentionOp op) {
  const auto cache = llvm::cast<CacheType>(op.getCache().getType());
  codegen::AttentionDesc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.heads = static_cast<uint32_t>(op.getHeads());
  desc.kvHeads = static_cast<uint32_t>(cache.getHeads());
  desc.headSize = static_cast<uint32_t>(cache.getHeadSize());
  desc.maxContext = static_cast<uint32_t>(plan.limits().maxContext);
  desc.pageTokens = static_cast<uint32_t>(plan.limits().pageTokens);
  desc.scale = op.getScale().convertToFloat();
  desc.window = static_cast<uint32_t>(op.getWindow().value_or(0));
  desc.softcap = op.getSoftcap() ? op.getSoftcap()->convertToFloat() : 0;
  // A block makes one head: where 32 columns reach into the next head, the rows become int8 rows by their reader's launch.
  desc.f32Rows = !isQ8Rows(op.getResult().getType()) || cache.getHeadSize() % kQ8Block != 0;
  desc.int8Rows = !desc.f32Rows;
  if (failed(accept(op, codegen::checkAttention(desc))))
    return failure();

  const RowBuffers& query = values[op.getQuery()];
  Bindings bindings = {{"q", isDecode() ? query.f32 : query.f16},
                       {"k_pages", plan.pool(cache, 'k')},
                       {"v_pages", plan.pool(cache, 'v')}};
  bindRows(bindings, "y", define(op, op.getResult(), "attended", rows, desc.int8Rows));
  if (!isDecode())
    return emit(op, codegen::attentionPromptLaunch(desc), bindings);
  if (codegen::attentionSplits(desc) > 1) {
    bindings["partial"] = scratch(op, "partial", static_cast<int64_t>(codegen::attentionPartialBytes(desc)));
    bindings["arrivals"] = plan.counter(codegen::attentionArrivals(desc));
  }
  return emit(op, codegen::attentionDecodeLaunch(desc), bindings);
}

} // namespace llcuda::llm
