// SPDX-License-Identifier: Apache-2.0
// Launches of the linears of a decode step: few rows, so a weight is read once and the reading is the cost.
//
// Where a Desc has `rows` they are 1 ... kMaxDecodeRows; more rows are linear_prompt's. `inputs` is a multiple of 32,
// `outputs` any number. A layout reads int8 rows (x_codes, x_scales) or f32 rows (x), as weightReadsInt8Rows says; a
// launch of several layouts that differ in that has all three parameters. A launch takes its tile from `tiles`, else
// the formula's.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/kv_cache.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

inline constexpr uint32_t kMaxDecodeRows = 8;

struct LinearDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t outputs = 1;
  bool bias = false;
  bool residual = false;
  float softcap = 0; ///< cap * tanh(result / cap), for the logits of a head; 0: none
};

/// linear: y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]); also the head.
///   weight        const uint8_t*  the blob of the layout, 256-byte aligned
///   x             const float*    [rows][inputs]; layouts that read f32 rows
///   x_codes       const int8_t*   [rows][inputs]; the other layouts
///   x_scales      const float2*   [rows][inputs / 32]; the other layouts
///   bias          const float*    [outputs]; only with bias
///   residual      const float*    [rows][outputs]; only with residual; may be y
///   y             float*          [rows][outputs]
LaunchSpec linearLaunch(const LinearDesc& desc, const TileTable& tiles = {});

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLinear(const LinearDesc& desc);

struct LinearResidualNormDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t outputs = 32; ///< a multiple of 32
  bool bias = false;
  bool postNorm = false; ///< the product is normed before it is added
  float eps = 0;         ///< of both norms
  bool f32Rows = false;  ///< emits normed
  bool int8Rows = true;  ///< emits normed_codes and normed_scales
};

/// linear_residual_norm: y as `linear` with residual; then the last block to arrive emits rms_norm(y) * norm_scale.
/// With postNorm y = residual + rms_norm(product) * post_scale.
///   weight, x, x_codes, x_scales, bias as above
///   residual        const float*    [rows][outputs]; may be y
///   post_scale      const float*    [outputs]; only with postNorm
///   norm_scale      const float*    [outputs]
///   arrivals        uint32_t*       counter of 1 word
///   product         float*          [rows][outputs], workspace; only with postNorm
///   y               float*          [rows][outputs]
///   normed          float*          [rows][outputs]; only with f32Rows
///   normed_codes    int8_t*         [rows][outputs]; only with int8Rows
///   normed_scales   float2*         [rows][outputs / 32]; only with int8Rows
LaunchSpec linearResidualNormLaunch(const LinearResidualNormDesc& desc, const TileTable& tiles = {});

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLinearResidualNorm(const LinearResidualNormDesc& desc);

struct GluLinearDesc {
  WeightLayout gateLayout = WeightLayout::kF16Rows;
  WeightLayout upLayout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t outputs = 32; ///< a multiple of 32 with int8Rows
  Activation activation = Activation::kSilu;
  bool f32Rows = false; ///< emits y
  bool int8Rows = true; ///< emits y_codes and y_scales
};

/// glu_linear: y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n]
///   gate_weight   const uint8_t*  a blob as above
///   up_weight     const uint8_t*  a blob as above
///   x, x_codes, x_scales as above
///   y             float*          [rows][outputs]; only with f32Rows
///   y_codes       int8_t*         [rows][outputs]; only with int8Rows
///   y_scales      float2*         [rows][outputs / 32]; only with int8Rows
LaunchSpec gluLinearLaunch(const GluLinearDesc& desc, const TileTable& tiles = {});

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkGluLinear(const GluLinearDesc& desc);

struct QkvLinearDesc {
  WeightLayout qLayout = WeightLayout::kF16Rows;
  WeightLayout kLayout = WeightLayout::kF16Rows;
  WeightLayout vLayout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t qOutputs = 1;
  uint32_t kvOutputs = 1; ///< of k and v each
  bool bias = false;
};

/// qkv_linear: the three linears of x.
///   q_weight, k_weight, v_weight  const uint8_t*  blobs as above
///   x, x_codes, x_scales as above
///   q_bias, k_bias, v_bias        const float*    [qOutputs or kvOutputs]; only with bias
///   q, k, v                       float*          [rows][qOutputs or kvOutputs]
LaunchSpec qkvLinearLaunch(const QkvLinearDesc& desc, const TileTable& tiles = {});

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkQkvLinear(const QkvLinearDesc& desc);

struct QkvRopeCacheDesc {
  WeightLayout qLayout = WeightLayout::kF16Rows;
  WeightLayout kLayout = WeightLayout::kF16Rows;
  WeightLayout vLayout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t heads = 1;
  uint32_t kvHeads = 1;
  uint32_t headSize = 64;   ///< even
  uint32_t dimensions = 64; ///< of a head that rotate, in adjacent pairs from the first; even; 0: none, no rope_table
  KvCacheDesc cache;
  bool bias = false;
};

/// qkv_rope_cache: the three linears of x; q and k rotated by the row's position; k and v written to the row's page.
///   q_weight, k_weight, v_weight  const uint8_t*  [heads or kvHeads * headSize][inputs], blobs as above
///   x, x_codes, x_scales as above
///   q_bias, k_bias, v_bias        const float*    [heads or kvHeads * headSize]; only with bias
///   rope_table    const float2*   [maxContext][dimensions / 2]: cos, sin; only with dimensions
///   positions     const int*      [rows]; -1: what the row gets in q is undefined, no page is written
///   slots         const int*      [rows]
///   block_table   const int*      [slots][ceil(maxContext / 64)]; a page of -1 is not written
///   q             float*          [rows][heads][headSize]
///   k_pages       uint8_t*        [page][kvHeads], as codegen/formats/kv_type.h says
///   v_pages       uint8_t*        the same
LaunchSpec qkvRopeCacheLaunch(const QkvRopeCacheDesc& desc, const TileTable& tiles = {});

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkQkvRopeCache(const QkvRopeCacheDesc& desc);

} // namespace llcuda::codegen
