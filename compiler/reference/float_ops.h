// SPDX-License-Identifier: Apache-2.0
// The llm ops over whole matrices of floats: codegen/reference, spread over threads. Every element is computed by one
// thread in an order of its own, so the bytes do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/reference/attention.h"
#include "codegen/reference/delta_rule.h"
#include "codegen/reference/glu.h"
#include "codegen/reference/rope.h"
#include "compiler/models/parameter.h"

namespace llcuda::reference {

struct Matrix {
  Matrix() = default;
  Matrix(size_t rows, size_t cols) : rows(rows), cols(cols), values(rows * cols) {}
  float* row(size_t r) { return values.data() + r * cols; }
  const float* row(size_t r) const { return values.data() + r * cols; }

  size_t rows = 0;
  size_t cols = 0;
  std::vector<float> values;
};

/// {cos, sin} of [positions][pairs].
struct RopeTable {
  size_t positions = 0;
  size_t pairs = 0;
  std::vector<float> values;
};

/// Keys and values of one layer, [positions][heads * elements] each, as far as they were written.
struct Cache {
  Matrix keys;
  Matrix values;
};

/// What a delta rule has learnt of the positions before `position`: [value heads][head size][head size].
struct DeltaState {
  int32_t position = 0;
  std::vector<float> values;
};

class FloatOps {
public:
  explicit FloatOps(unsigned threads) : threads(threads) {}

  Matrix embedding(std::span<const int32_t> tokens, const models::Parameter& weight, double scale) const;
  Matrix rmsNorm(const Matrix& x, std::span<const float> scale, double eps) const;
  /// `shift` is empty or as long as `scale`.
  Matrix layerNorm(const Matrix& x, std::span<const float> scale, std::span<const float> shift, double eps) const;
  /// `bias` is empty or has an element for each row of `weight`.
  Matrix linear(const Matrix& x, const models::Parameter& weight, std::span<const float> bias) const;
  /// Row k r + j times the rows of expert experts[r][j] of `weight`, which has those of `count`. `x` has a row for each
  /// row of `experts`, or with `each` for each choice; `bias` is empty or has an element for each row of `weight`.
  Matrix expertLinear(const Matrix& x, const Matrix& experts, const models::Parameter& weight,
                      std::span<const float> bias, size_t count, bool each) const;
  Matrix expertSum(const Matrix& x, const Matrix& weights) const;
  Matrix rope(const Matrix& x, const RopeTable& table, std::span<const int32_t> positions, RopePairs pairs,
              size_t headSize) const;
  /// By a variant of codegen/reference/attention.h.
  template <typename Variant>
  Matrix attention(const AttentionShape& shape, const Variant& variant, const Matrix& query, const Cache& cache,
                   std::span<const int32_t> positions) const;
  /// Rows first ... of `inputs`, [positions][columns], with those before each; `taps` is [columns][taps].
  Matrix shortConv(const Matrix& inputs, size_t first, std::span<const float> taps, bool silu) const;
  /// Carries `state` on by the rows of `x`.
  Matrix deltaRule(const DeltaRuleShape& shape, const Matrix& x, const Matrix& decay, const Matrix& beta,
                   std::span<const float> rate, std::span<const float> dt, DeltaState& state) const;
  /// Of every `group` columns the `count` from `first` on.
  Matrix takeColumns(const Matrix& x, size_t count, size_t group, size_t first) const;
  Matrix glu(Activation activation, const Matrix& gate, const Matrix& up) const;
  Matrix activate(Activation activation, const Matrix& x) const;
  Matrix add(const Matrix& a, const Matrix& b) const;
  Matrix scale(const Matrix& x, float factor) const;
  Matrix softcap(const Matrix& x, double cap) const;
  /// What is left of `x` after int8 rows: codes times scales.
  Matrix quantized(const Matrix& x) const;

private:
  /// x times rows `first` ... `first + y.cols` of `weight`.
  void multiply(const Matrix& x, const models::Parameter& weight, size_t first, Matrix& y) const;
  template <typename Work>
  void forRows(size_t rows, Work work) const;

  unsigned threads;
};

} // namespace llcuda::reference
