// SPDX-License-Identifier: Apache-2.0
// FuseRopeCache.cpp: qkv_linear, [head_norm], rope, cache_write -> qkv_rope_cache
//                    [head_norm], rope, cache_write -> rope_cache
//                    head_norm, rope -> rope
//
// The cache write is the root: its keys lead back to the qkv_linear, and the query goes forward from there. Where that
// fails, the query is that of the first attention over the cache.
#include "compiler/transforms/FuseRopeCache/FuseRopeCache.h"

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_FUSEROPECACHE
#include "compiler/transforms/FuseRopeCache/FuseRopeCache.h.inc"

namespace {

/// What lies between a result of the linears and its use: perhaps a norm of the heads, then a rotation.
struct Turned {
  HeadNormOp norm;
  RopeOp rope;
};

/// Back from the keys of a cache write.
Turned turnedKeys(CacheWriteOp write) {
  auto rope = solelyReadProducer<RopeOp>(write.getKeys());
  return {rope ? solelyReadProducer<HeadNormOp>(rope.getInput()) : HeadNormOp(), rope};
}

/// Forward from the query of the linears.
Turned turnedQuery(QkvLinearOp qkv) {
  Turned turned;
  mlir::Value value = qkv.getQuery();
  const auto onlyReader = [&] { return value.hasOneUse() ? *value.getUsers().begin() : nullptr; };
  if ((turned.norm = mlir::dyn_cast_or_null<HeadNormOp>(onlyReader())))
    value = turned.norm.getResult();
  turned.rope = mlir::dyn_cast_or_null<RopeOp>(onlyReader());
  return turned;
}

mlir::Value inputOf(Turned turned) {
  return turned.norm ? turned.norm.getInput() : turned.rope.getInput();
}

/// Back from the query of the first attention over the cache.
Turned attendingQuery(CacheWriteOp write) {
  AttentionOp first;
  for (mlir::Operation* user : write->getUsers())
    if (auto attention = mlir::dyn_cast<AttentionOp>(user); attention && (!first || attention->isBeforeInBlock(first)))
      first = attention;
  auto rope = first ? first.getQuery().getDefiningOp<RopeOp>() : RopeOp();
  return {rope ? solelyReadProducer<HeadNormOp>(rope.getInput()) : HeadNormOp(), rope};
}

/// Whether what reads the turned query comes after the cache write.
bool isReadAfter(RopeOp query, CacheWriteOp write) {
  return llvm::all_of(query->getUsers(), [&](mlir::Operation* user) {
    return user->getBlock() == write->getBlock() && write->isBeforeInBlock(user);
  });
}

/// Why the rotations of query and key cannot be one; empty when they can.
llvm::StringRef whyRotationsDiffer(RopeOp query, RopeOp key, CacheWriteOp write) {
  if (query.getTable() != key.getTable() || query.getPairs() != key.getPairs())
    return "query and key turn by different tables or pairs";
  if (query.getPositions() != write.getPositions() || key.getPositions() != write.getPositions())
    return "a rotation and the cache write have different positions";
  const auto head = static_cast<uint64_t>(write.getCache().getType().getHeadSize());
  if (query.getHeadSize() != head || key.getHeadSize() != head)
    return "a rotation has another head size than the cache";
  return {};
}

/// Why the norms of query and key cannot be taken in; empty when they can or there are none.
llvm::StringRef whyNormsDiffer(HeadNormOp query, HeadNormOp key, int64_t headSize) {
  if (!query && !key)
    return {};
  if (!query || !key)
    return "only one of query and key has a norm";
  if (query.getEps() != key.getEps())
    return "the norms of query and key have different epsilons";
  if (columnsOf(query.getScale()) != headSize || columnsOf(key.getScale()) != headSize)
    return "a norm spans another number of columns than a head";
  return {};
}

mlir::Value scaleOf(HeadNormOp norm) {
  return norm ? norm.getScale() : mlir::Value();
}
mlir::FloatAttr epsOf(HeadNormOp norm) {
  return norm ? norm.getEpsAttr() : mlir::FloatAttr();
}

struct FuseRopeCache final : impl::FuseRopeCacheBase<FuseRopeCache> {
  using FuseRopeCacheBase::FuseRopeCacheBase;

  void runOnOperation() override {
    PassRewriter rewriter(&getContext(), getArgument());
    for (CacheWriteOp write : collect<CacheWriteOp>(getOperation()))
      if (mlir::failed(fuse(rewriter, write)))
        fuseRows(rewriter, write);
    for (RopeOp rope : collect<RopeOp>(getOperation())) takeNorm(rewriter, rope);
  }

  mlir::LogicalResult fuse(PassRewriter& rewriter, CacheWriteOp write) {
    Turned key = turnedKeys(write);
    if (!key.rope)
      return rewriter.refuse(write, "the keys do not come from a rotation that only the cache write reads");
    auto qkv = inputOf(key).getDefiningOp<QkvLinearOp>();
    if (!qkv || inputOf(key) != qkv.getKey() || write.getValues() != qkv.getValue())
      return rewriter.refuse(write, "keys and values do not come from one qkv_linear");
    if (!qkv.getKey().hasOneUse() || !qkv.getValue().hasOneUse())
      return rewriter.refuse(write, "something else reads the keys or values");
    Turned query = turnedQuery(qkv);
    if (!query.rope)
      return rewriter.refuse(write, "the query does not go to a rotation only");
    if (const auto reason = whyApart(query, key, write); !reason.empty())
      return rewriter.refuse(write, reason);
    replace(rewriter, qkv, query, key, write);
    return mlir::success();
  }

  /// Why query and keys cannot be normed, turned and kept by one op; empty when they can.
  llvm::StringRef whyApart(Turned query, Turned key, CacheWriteOp write) const {
    if (const auto reason = whyRotationsDiffer(query.rope, key.rope, write); !reason.empty())
      return reason;
    if (!headNorms && (query.norm || key.norm))
      return "the heads are normed, and head-norms is off";
    if (const auto reason = whyNormsDiffer(query.norm, key.norm, write.getCache().getType().getHeadSize());
        !reason.empty())
      return reason;
    return isReadAfter(query.rope, write) ? "" : "the query is read before the cache is written";
  }

  /// Puts `fused` in the place of what it does; `dead` may be null.
  template <typename Fused>
  static void finish(PassRewriter& rewriter, Fused fused, Turned query, Turned key, CacheWriteOp write,
                     mlir::Operation* dead) {
    rewriter.replaceOp(write, fused.getCache());
    rewriter.replaceOp(query.rope, fused.getQuery());
    for (mlir::Operation* op : {key.rope.getOperation(), key.norm.getOperation(), query.norm.getOperation(), dead})
      if (op)
        rewriter.eraseOp(op);
  }

  static void replace(PassRewriter& rewriter, QkvLinearOp qkv, Turned query, Turned key, CacheWriteOp write) {
    rewriter.accept(write, "linears, rotations and cache write are one qkv_rope_cache");
    rewriter.setInsertionPoint(write);
    auto fused = QkvRopeCacheOp::create(
        rewriter, qkv.getLoc(), query.rope.getType(), write.getCache().getType(), qkv.getInput(), qkv.getQWeight(),
        qkv.getKWeight(), qkv.getVWeight(), key.rope.getTable(), write.getPositions(), write.getSlots(), qkv.getQBias(),
        qkv.getKBias(), qkv.getVBias(), scaleOf(query.norm), scaleOf(key.norm), qkv.getInt8Input(), qkv.getQAdded(),
        qkv.getKAdded(), qkv.getVAdded(), epsOf(query.norm), key.rope.getPairs());
    copyLayer(qkv, fused);
    finish(rewriter, fused, query, key, write, qkv);
  }

  /// The same without the linears. Why they were left out has been said.
  void fuseRows(PassRewriter& rewriter, CacheWriteOp write) {
    Turned key = turnedKeys(write), query = attendingQuery(write);
    if (!key.rope || !query.rope || !whyApart(query, key, write).empty())
      return;
    if (!isAvailableAt(inputOf(query), write) || (query.norm && !isAvailableAt(query.norm.getScale(), write)))
      return;
    auto valueNorm = key.norm ? solelyReadProducer<HeadNormOp>(write.getValues()) : HeadNormOp();
    if (valueNorm && !whyNormsDiffer(key.norm, valueNorm, write.getCache().getType().getHeadSize()).empty())
      valueNorm = {};
    rewriter.accept(write, "norms, rotations and cache write are one rope_cache");
    if (query.norm)
      moveParametersBefore(rewriter, write, query.norm.getScale());
    rewriter.setInsertionPoint(write);
    auto fused = RopeCacheOp::create(rewriter, write.getLoc(), query.rope.getType(), write.getCache().getType(),
                                     inputOf(query), inputOf(key), valueNorm ? valueNorm.getInput() : write.getValues(),
                                     key.rope.getTable(), write.getPositions(), write.getSlots(), scaleOf(query.norm),
                                     scaleOf(key.norm), scaleOf(valueNorm), epsOf(key.norm), key.rope.getPairs());
    copyLayer(write, fused);
    finish(rewriter, fused, query, key, write, valueNorm);
  }

  /// A rotation that was left norms the heads before it turns them.
  void takeNorm(PassRewriter& rewriter, RopeOp rope) {
    auto norm = solelyReadProducer<HeadNormOp>(rope.getInput());
    if (!headNorms || !norm || columnsOf(norm.getScale()) != static_cast<int64_t>(rope.getHeadSize()))
      return;
    rewriter.accept(rope, "the rotation norms the heads");
    rewriter.modifyOpInPlace(rope, [&] {
      rope.getInputMutable().assign(norm.getInput());
      rope.getScaleMutable().assign(norm.getScale());
      rope.setEpsAttr(norm.getEpsAttr());
    });
    rewriter.eraseOp(norm);
  }
};

} // namespace
} // namespace llcuda
