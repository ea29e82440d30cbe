// SPDX-License-Identifier: Apache-2.0
// Launches of linears: an operand, the rows that are multiplied; parts, the weights with which; and an epilogue, what
// becomes of the products. One description, check, launch and work (launch_works.h) for all of them.
//
//   kernels      parts            epilogue       op
//   few rows     one              StoreRows      linear
//   few rows     one              NormRows       linear_residual_norm
//   few rows     gate, up         GateRows       glu_linear
//   few rows     one              TimesRows      linear_glu
//   few rows     q, k, v          StoreRows      qkv_linear
//   few rows     q, k, v          RopeCacheRows  qkv_rope_cache
//   many rows    one              StoreRows      linear_prompt
//   many rows    gate, up         GateRows       glu_linear_prompt
//   many rows    q, k, v          StoreRows      qkv_prompt
//
// A launch has these parameters, in this order; those that it has no use for are left out:
//
//   weight      const uint8_t*  [outputs][inputs], a blob of the layout, 256-byte aligned; of several parts gate_weight
//                               and up_weight, or q_weight, k_weight and v_weight
//   x           const float*    [rows][inputs]; where a layout reads f32 rows
//   x_codes     const int8_t*   int8 rows in rowOrderOf(kernels, rows), where a layout reads them
//   x_scales    const float2*   beside x_codes
//   x_halves    const uint8_t*  f16 rows (half_rows.h), where a layout reads them; of many rows
//   x_half_scales const float*  beside x_halves
//   positions   const int*      [rows]; of many rows: of a tile of rows that are all -1 nothing is written
//   bias        const float*    [outputs]; of several parts q_bias, k_bias and v_bias
//   those of the epilogue
//   low         float*          [rows][lowRank]; only with lowRank. Of few rows a workspace: the launch makes it of
//                               its f32 rows, which it then reads too. Of many rows low_rank_spec.h makes it
//   low_inner   const uint8_t*  [lowRank][inputs], a blob of f16_rows; only with lowRank, of few rows
//   low_counts  uint32_t*       counter of 3 words, of which arrivals may be the first; only with lowRank, of few rows
//   low_weight  const uint8_t*  [outputs][lowRank], a blob of f16_rows: its products with low are added before the
//                               epilogue; of several parts gate_low_weight and so on; of parts with lowRank
//
// To add an epilogue: its struct in LinearEpilogue, and an overload of each function of linear_spec.cpp,
// linear_check.cpp and launch_works.cpp that takes one; what is missing does not compile. To add an operand that picks
// its weights (experts): a field of LinearDesc or of LinearPart, its parameters in `described` of linear_spec.cpp, its
// bytes in workOf.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "codegen/formats/activation.h"
#include "codegen/formats/int8_rows.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/kv_cache.h"
#include "codegen/spec/rows_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

inline constexpr uint32_t kMaxDecodeRows = 8;

/// Who multiplies.
enum class LinearKernels {
  kFewRows,  ///< 1 ... kMaxDecodeRows: a weight is read once and the reading is the cost
  kManyRows, ///< tensor cores: the chunks of a prompt, and the wider decode batches
};

/// In which int8 rows are read, and emitted.
constexpr RowOrder rowOrderOf(LinearKernels kernels, uint32_t rows) {
  return kernels == LinearKernels::kFewRows ? fewRowsOrder(rows) : RowOrder::kFragments;
}

/// A weight of a launch.
struct LinearPart {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t outputs = 1;
  bool lowRank = false; ///< a low-rank product is added to its own
};

/// y[r][n] = product[r][n] (+ bias[n]) (+ residual[r][n]), perhaps capped; also the head.
///   residual      const float*    [rows][outputs]; only with residual, of one part; may be y
///   y             float*          [rows][outputs]; of three parts q, k and v
struct StoreRows {
  bool residual = false;
  float softcap = 0; ///< cap * tanh(y / cap), for the logits of a head; of few rows of one part; 0: none
};

/// y as StoreRows with residual; then the last block to arrive emits rms_norm(y) * norm_scale. With postNorm
/// y = residual + rms_norm(product) * post_scale. Outputs are a multiple of 32.
///   residual      const float*    [rows][outputs]; may be y
///   post_scale    const float*    [outputs]; only with postNorm
///   norm_scale    const float*    [outputs]; not where the sum is copied
///   arrivals      uint32_t*       counter of 1 word
///   product       float*          [rows][outputs], workspace; only with postNorm
///   y             float*          [rows][outputs]
///   normed        float*          [rows][outputs]; only with f32Rows
///   normed_codes  int8_t*         int8 rows in rowOrderOf(kernels, rows); only with int8Rows
///   normed_scales float2*         the same; only with int8Rows
struct NormRows {
  bool postNorm = false; ///< the product is normed before it is added
  float eps = 0;         ///< of both norms
  bool f32Rows = false;
  bool int8Rows = true;
  SumForm sum; ///< of y, only with postNorm
};

/// y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n]. Outputs are a multiple of 32 with int8Rows or many rows.
///   y             float*          [rows][outputs]; only with f32Rows
///   y_codes       int8_t*         int8 rows in rowOrderOf(kernels, rows); only with int8Rows
///   y_scales      float2*         the same; only with int8Rows
struct GateRows {
  Activation activation = Activation::kSilu;
  bool f32Rows = false;
  bool int8Rows = true;
};

/// y[r][n] = activation(product[r][n]) * up[r][n]. Without biases and low-rank products; outputs are a multiple of 32
/// with int8Rows.
///   up            const float*    [rows][outputs], or what it is a view of
///   y             float*          [rows][outputs]; only with f32Rows
///   y_codes       int8_t*         int8 rows in rowOrderOf(kernels, rows); only with int8Rows
///   y_scales      float2*         the same; only with int8Rows
struct TimesRows {
  Activation activation = Activation::kSilu;
  RowView up;
  bool f32Rows = false;
  bool int8Rows = true;
};

/// q and k rotated by the row's position; k and v written to the row's page.
///   rope_table    const float2*   [maxContext][dimensions / 2]: cos, sin; only with dimensions
///   positions     const int*      [rows]; -1: what the row gets in q is undefined, no page is written
///   slots         const int*      [rows]
///   block_table   const int*      [slots][ceil(maxContext / 64)]; a page of -1 is not written
///   q             float*          [rows][heads][headSize]
///   k_pages       uint8_t*        [page][kvHeads], as codegen/formats/kv_type.h says
///   v_pages       uint8_t*        the same
struct RopeCacheRows {
  uint32_t headSize = 64;   ///< a multiple of 8
  uint32_t dimensions = 64; ///< of a head that rotate, in adjacent pairs from the first; even; 0: none, no rope_table
  KvCacheDesc cache;
};

using LinearEpilogue = std::variant<StoreRows, NormRows, GateRows, TimesRows, RopeCacheRows>;

struct LinearDesc {
  LinearKernels kernels = LinearKernels::kFewRows;
  uint32_t rows = 1;
  uint32_t inputs = 32;          ///< a multiple of 32, or of the block of a layout that has larger ones
  std::vector<LinearPart> parts; ///< one; gate and up; or q, k and v, of which k and v have the same outputs
  bool bias = false;             ///< of every part; not of what is gated
  uint32_t lowRank = 0;          ///< columns of low: a multiple of 32; not with a softcap; 0: none
  LinearEpilogue epilogue;

  bool hasFewRows() const { return kernels == LinearKernels::kFewRows; }
};

/// The forms in which a launch reads its rows.
struct RowsRead {
  bool f32 = false;
  bool int8 = false;
  bool halves = false;
};
RowsRead rowsRead(const LinearDesc& desc);

/// How the parameters of each of so many parts begin.
std::span<const char* const> linearPartNames(size_t parts);

/// The op of the table above.
const char* linearOp(const LinearDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLinear(const LinearDesc& desc);

/// Takes its tile from `tiles`, else the formula's.
LaunchSpec linearLaunch(const LinearDesc& desc, const TileTable& tiles = {});

} // namespace llcuda::codegen
