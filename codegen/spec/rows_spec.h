// SPDX-License-Identifier: Apache-2.0
// Launches of what works row by row: rms_norm, layer_norm, post_norm, quantize, half_rows, glu, activate, embedding.
// All rows are f32, int8 rows, as codegen/formats/int8_rows.h lays them out, or f16 rows, as
// codegen/formats/half_rows.h does.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/formats/int8_rows.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/row_view.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct RmsNormDesc {
  uint32_t rows = 1;     ///< of the result
  uint32_t columns = 32; ///< a multiple of 32
  float eps = 0;
  bool pickRows = false;            ///< row r of the result is row output_rows[r] of x
  bool f32Rows = true;              ///< emits y
  bool int8Rows = false;            ///< emits y_codes and y_scales
  RowOrder order = RowOrder::kRows; ///< of int8 rows
  bool halfRows = false;            ///< emits y_halves and y_half_scales
  uint32_t threads = 0;             ///< of a block, which decide in what order a row is summed; 0: as fits the rows
};

/// rms_norm: y[r][c] = x[r][c] / sqrt(mean(x[r]^2) + eps) * scale[c]
///   x             const float*    [rows][columns], or more rows with pickRows
///   scale         const float*    [columns]
///   output_rows   const int*      [rows]: -1 gives a row of zeros; only with pickRows
///   y             float*          [rows][columns]; only with f32Rows; may be x without pickRows
///   y_codes       int8_t*         int8 rows; only with int8Rows
///   y_scales      float2*         int8 rows; only with int8Rows
///   y_halves      uint8_t*        f16 rows; only with halfRows
///   y_half_scales float*          [rows]; only with halfRows
LaunchSpec rmsNormLaunch(const RmsNormDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkRmsNorm(const RmsNormDesc& desc);

struct LayerNormDesc {
  uint32_t rows = 1;
  uint32_t columns = 32; ///< a multiple of 32
  float eps = 0;
  bool shift = false;               ///< adds shift
  bool f32Rows = true;              ///< emits y
  bool int8Rows = false;            ///< emits y_codes and y_scales
  RowOrder order = RowOrder::kRows; ///< of int8 rows
  bool halfRows = false;            ///< emits y_halves and y_half_scales
};

/// layer_norm: y[r][c] = d[c] / sqrt(mean(d^2) + eps) * scale[c] + shift[c], where d = x[r] - mean(x[r])
///   x             const float*    [rows][columns]
///   scale         const float*    [columns]
///   shift         const float*    [columns]; only with shift
///   y, y_codes, y_scales, y_halves, y_half_scales as of rms_norm
LaunchSpec layerNormLaunch(const LayerNormDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLayerNorm(const LayerNormDesc& desc);

/// What becomes of a sum before it is normed.
struct SumForm {
  float factor = 1;    ///< it is times this
  bool copied = false; ///< the rows that are emitted are those of the sum, not normed

  bool isPlain() const { return factor == 1 && !copied; }
};
/// SumForm of codegen/kernels/norm/norm_rows.cuh.
Members sumForm(const SumForm& form);

struct PostNormDesc {
  uint32_t rows = 1;                ///< of the result
  uint32_t columns = 32;            ///< a multiple of 32
  float eps = 0;                    ///< of both norms
  bool pickRows = false;            ///< row r of the results is made of row output_rows[r] of x and residual
  bool f32Rows = true;              ///< emits y
  bool int8Rows = false;            ///< emits y_codes and y_scales
  RowOrder order = RowOrder::kRows; ///< of int8 rows
  bool halfRows = false;            ///< emits y_halves and y_half_scales
  uint32_t threads = 0;             ///< of a block, which decide in what order a row is summed; 0: as fits the rows
  SumForm sum;
};

/// post_norm: sum[r] = (residual[r] + rms_norm(x[r]) * post_scale) * factor; y[r] = rms_norm(sum[r]) * scale, or sum[r]
///   x             const float*    [rows][columns], or more rows with pickRows
///   residual      const float*    as x
///   post_scale    const float*    [columns]
///   scale         const float*    [columns]; not where the sum is copied
///   output_rows   const int*      [rows]: -1 gives a row of zeros; only with pickRows
///   sum           float*          [rows][columns]; may be x or residual without pickRows
///   y             float*          [rows][columns]; only with f32Rows
///   y_codes       int8_t*         int8 rows; only with int8Rows
///   y_scales      float2*         int8 rows; only with int8Rows
///   y_halves      uint8_t*        f16 rows; only with halfRows
///   y_half_scales float*          [rows]; only with halfRows
LaunchSpec postNormLaunch(const PostNormDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkPostNorm(const PostNormDesc& desc);

struct QuantizeDesc {
  uint32_t rows = 1;
  uint32_t columns = 32; ///< a multiple of 32
  RowOrder order = RowOrder::kRows;
};

/// quantize: f32 rows to int8 rows.
///   x             const float*    [rows][columns]
///   y_codes       int8_t*         int8 rows
///   y_scales      float2*         int8 rows
LaunchSpec quantizeLaunch(const QuantizeDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkQuantize(const QuantizeDesc& desc);

struct HalfRowsDesc {
  uint32_t rows = 1;
  uint32_t columns = 32; ///< a multiple of 32
};

/// half_rows: f32 rows to f16 rows in the order of fragments.
///   x             const float*    [rows][columns]
///   y_halves      uint8_t*        f16 rows
///   y_half_scales float*          [rows]
LaunchSpec halfRowsLaunch(const HalfRowsDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkHalfRows(const HalfRowsDesc& desc);

struct GluDesc {
  uint32_t rows = 1;
  uint32_t columns = 32; ///< a multiple of 32
  Activation activation = Activation::kSilu;
  bool f32Rows = false;             ///< emits y
  bool int8Rows = true;             ///< emits y_codes and y_scales
  RowOrder order = RowOrder::kRows; ///< of int8 rows
  RowView gate, up;                 ///< where they lie
};

/// glu: y[r][c] = activation(gate[r][c]) * up[r][c]
///   gate          const float*    [rows][columns], or what it is a view of
///   up            const float*    the same
///   y             float*          [rows][columns]; only with f32Rows; may be gate or up that are no views
///   y_codes       int8_t*         int8 rows; only with int8Rows
///   y_scales      float2*         int8 rows; only with int8Rows
LaunchSpec gluLaunch(const GluDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkGlu(const GluDesc& desc);

struct ActivateDesc {
  uint32_t rows = 1;
  uint32_t columns = 32;                        ///< a multiple of 32
  Activation activation = Activation::kGeluErf; ///< of one value
  bool f32Rows = false;                         ///< emits y
  bool int8Rows = true;                         ///< emits y_codes and y_scales
  RowOrder order = RowOrder::kRows;             ///< of int8 rows
};

/// activate: y[r][c] = activation(x[r][c])
///   x             const float*    [rows][columns]
///   y             float*          [rows][columns]; only with f32Rows; may be x
///   y_codes       int8_t*         int8 rows; only with int8Rows
///   y_scales      float2*         int8 rows; only with int8Rows
LaunchSpec activateLaunch(const ActivateDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkActivate(const ActivateDesc& desc);

struct EmbeddingDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t columns = 32; ///< a multiple of 32
  uint32_t vocabulary = 1;
  float scale = 1;         ///< Gemma: sqrt(columns)
  bool byPosition = false; ///< the rows of the table are positions
};

/// embedding: y[r] = weight[tokens[r]] * scale
///   weight        const uint8_t*  [vocabulary][columns], the blob of the layout
///   tokens        const int*      [rows]; a token outside the vocabulary gives a row of zeros. Called positions with
///                                 byPosition
///   y             float*          [rows][columns]
LaunchSpec embeddingLaunch(const EmbeddingDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkEmbedding(const EmbeddingDesc& desc);

} // namespace llcuda::codegen
