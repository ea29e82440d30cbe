// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/rewriting.h"

namespace llcuda::llm {

mlir::LogicalResult PassRewriter::refuse(mlir::Operation* op, const llvm::Twine& reason) {
  const std::string text = reason.str();
  mlir::remark::missed(op->getLoc(), mlir::remark::RemarkOpts::name("refused").category(pass)) << text;
  return notifyMatchFailure(op, text);
}

void PassRewriter::accept(mlir::Operation* op, const llvm::Twine& what) {
  mlir::remark::passed(op->getLoc(), mlir::remark::RemarkOpts::name("done").category(pass)) << what.str();
}

/// The op that makes `value`, if it comes after `anchor` in its block.
static mlir::Operation* laterSource(mlir::Value value, mlir::Operation* anchor) {
  mlir::Operation* source = value ? value.getDefiningOp() : nullptr;
  const bool isLater = source && source->getBlock() == anchor->getBlock() && !source->isBeforeInBlock(anchor);
  return isLater ? source : nullptr;
}

bool isAvailableAt(mlir::Value value, mlir::Operation* anchor) {
  mlir::Operation* source = laterSource(value, anchor);
  return !source || mlir::isa<ParameterOp>(source);
}

void moveParametersBefore(mlir::RewriterBase& rewriter, mlir::Operation* anchor, mlir::ValueRange values) {
  for (mlir::Value value : values)
    if (mlir::Operation* source = laterSource(value, anchor))
      rewriter.moveOpBefore(source, anchor);
}

void copyLayer(mlir::Operation* from, mlir::Operation* to) {
  if (mlir::Attribute layer = from->getDiscardableAttr(kLayerAttr))
    to->setDiscardableAttr(kLayerAttr, layer);
}

} // namespace llcuda::llm
