// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def FuseResidualNorm : Pass<"llm-fuse-residual-norm", "::mlir::func::FuncOp"> {
  let summary = "The residual add after a linear, and the norm of the sum, become part of the linear";
  let description = [{
    - `rms_norm(add(r, linear(x, w)), s)` becomes `linear_residual_norm(x, w, r, s)`, which yields the sum and the
      normed sum: the last block of the linear to arrive does the norm. One launch in place of three.
    - With a norm between the linear and the add (Gemma's post-norm), that norm is taken in too, and so is a product of
      the sum with a constant. Where linears read such a sum and no norm does, they read what `linear_residual_norm`
      yields beside the sum: the same rows, which may be int8 rows.
    - A sum that no norm reads is added by the linear itself: `linear(x, w) residual r`.
    - What the linear adds besides, the product of an adapter beside its weight, it goes on adding.

    The last linear of the last layer takes in the final norm.

    Refuses a linear that something else reads too or that adds a residual already, a sum that two norms read, a
    post-norm whose sum neither a norm nor a linear reads or whose epsilon differs, a scaled sum without one, and rows
    of more than `max-columns` columns or of a number that is no multiple of 32: one block norms a whole row, and a
    launch of its own is faster where rows are very wide. Changes no value: the sum and the norm stay in f32.

    (* example filepath=tests/compiler/transforms/FuseResidualNorm/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::llm::LlmDialect"];
  let options = [Option<"maxColumns", "max-columns", "int64_t", "16384", "Take in norms of rows of up to this many columns">];
}
