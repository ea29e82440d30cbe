// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def FuseRopeCache : Pass<"llm-fuse-rope-cache", "::mlir::func::FuncOp"> {
  let summary = "Head norms, rotations and the cache write become part of the qkv linears";
  let description = [{
    `qkv_linear`, the norms of the heads of query and key, the rotation of both, and the cache write of keys and values
    become one `qkv_rope_cache`: keys and values go to the cache from registers, and up to five launches become one.
    Where the linears stay apart, as for values that are normed too or queries that are some columns of a linear, the
    rest becomes one `rope_cache`; a rotation of queries alone takes in the norm of their heads.

    Refuses keys, values and queries that do not come from one qkv_linear or have other readers, rotations that differ
    in table, positions, pairs or head size from each other or from the cache, norms on only one of query and key or
    with different epsilons, and (with `head-norms=false`) all norms of heads. Run it after llm-fuse-qkv. Changes no
    value but the order of roundings to the cache's encoding.

    (* example filepath=tests/compiler/transforms/FuseRopeCache/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::llm::LlmDialect"];
  let options = [Option<"headNorms", "head-norms", "bool", "true", "Take in the norms of query and key heads">];
}
