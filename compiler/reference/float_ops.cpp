// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/float_ops.h"

#include <algorithm>
#include <cassert>

#include "codegen/reference/add.h"
#include "codegen/reference/expert_sum.h"
#include "codegen/reference/layer_norm.h"
#include "codegen/reference/quantize_rows.h"
#include "codegen/reference/rms_norm.h"
#include "codegen/reference/short_conv.h"
#include "codegen/reference/softcap.h"
#include "compiler/reference/dot_rows.h"
#include "runtime/base/parallel.h"

namespace llcuda::reference {

template <typename Work>
void FloatOps::forRows(size_t rows, Work work) const {
  parallelFor(threads, rows, 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) work(r);
  });
}

Matrix FloatOps::embedding(std::span<const int32_t> tokens, const models::Parameter& weight, double scale) const {
  Matrix y(tokens.size(), weight.cols());
  for (size_t r = 0; r < y.rows; ++r) {
    weight.dequantize(static_cast<size_t>(tokens[r]), y.row(r));
    for (size_t c = 0; c < y.cols; ++c) y.row(r)[c] *= static_cast<float>(scale);
  }
  return y;
}

Matrix FloatOps::rmsNorm(const Matrix& x, std::span<const float> scale, double eps) const {
  Matrix y(x.rows, x.cols);
  const size_t parts = x.cols / scale.size(); // heads, where each head of a row has its own norm
  forRows(x.rows,
          [&](size_t r) { reference::rmsNorm<float>(x.row(r), scale.data(), parts, scale.size(), eps, y.row(r)); });
  return y;
}

Matrix FloatOps::layerNorm(const Matrix& x, std::span<const float> scale, std::span<const float> shift,
                           double eps) const {
  Matrix y(x.rows, x.cols);
  forRows(x.rows, [&](size_t r) {
    reference::layerNorm<float>(x.row(r), scale.data(), shift.empty() ? nullptr : shift.data(), 1, x.cols, eps,
                                y.row(r));
  });
  return y;
}

// A row of the weight is dequantised once, whatever the number of input rows.
void FloatOps::multiply(const Matrix& x, const models::Parameter& weight, size_t first, Matrix& y) const {
  assert(x.cols == weight.cols());
  parallelFor(threads, y.cols, 8 * kDotRows, [&](size_t begin, size_t end) {
    std::vector<float> tile(kDotRows * x.cols);
    for (size_t n = begin; n < end; n += kDotRows) {
      const size_t count = std::min(kDotRows, end - n);
      for (size_t i = 0; i < count; ++i) weight.dequantize(first + n + i, tile.data() + i * x.cols);
      dotRows(x.values.data(), x.rows, x.cols, tile.data(), count, y.values.data() + n, y.cols);
    }
  });
}

Matrix FloatOps::linear(const Matrix& x, const models::Parameter& weight, std::span<const float> bias) const {
  Matrix y(x.rows, weight.rows());
  multiply(x, weight, 0, y);
  for (size_t r = 0; !bias.empty() && r < y.rows; ++r) reference::add<float>(y.row(r), bias.data(), y.cols, y.row(r));
  return y;
}

Matrix FloatOps::expertLinear(const Matrix& x, const Matrix& experts, const models::Parameter& weight,
                              std::span<const float> bias, size_t count, bool each) const {
  const size_t outputs = weight.rows() / count;
  Matrix y(experts.values.size(), outputs);
  for (size_t expert = 0; expert < count; ++expert) {
    std::vector<size_t> choices;
    for (size_t i = 0; i < experts.values.size(); ++i)
      if (static_cast<size_t>(experts.values[i]) == expert)
        choices.push_back(i);
    if (choices.empty())
      continue;
    Matrix chosen(choices.size(), x.cols), products(choices.size(), outputs);
    for (size_t i = 0; i < choices.size(); ++i)
      std::copy_n(x.row(each ? choices[i] : choices[i] / experts.cols), x.cols, chosen.row(i));
    multiply(chosen, weight, expert * outputs, products);
    for (size_t i = 0; i < choices.size(); ++i) {
      if (!bias.empty())
        reference::add<float>(products.row(i), bias.data() + expert * outputs, outputs, products.row(i));
      std::copy_n(products.row(i), outputs, y.row(choices[i]));
    }
  }
  return y;
}

Matrix FloatOps::expertSum(const Matrix& x, const Matrix& weights) const {
  Matrix y(weights.rows, x.cols);
  reference::expertSum<float>(x.values.data(), weights.values.data(), weights.rows, weights.cols, x.cols,
                              y.values.data());
  return y;
}

Matrix FloatOps::rope(const Matrix& x, const RopeTable& table, std::span<const int32_t> positions, RopePairs pairs,
                      size_t headSize) const {
  Matrix y(x.rows, x.cols);
  reference::rope<float>(x.values.data(), table.values.data(), positions.data(), pairs, x.rows, x.cols / headSize,
                         headSize, table.pairs * 2, y.values.data());
  return y;
}

template <typename Variant>
Matrix FloatOps::attention(const AttentionShape& shape, const Variant& variant, const Matrix& query, const Cache& cache,
                           std::span<const int32_t> positions) const {
  Matrix y(query.rows, query.cols);
  forRows(query.rows, [&](size_t r) {
    reference::attention<float>(shape, variant, query.row(r), cache.keys.values.data(), cache.values.values.data(),
                                &positions[r], 1, y.row(r));
  });
  return y;
}

Matrix FloatOps::shortConv(const Matrix& inputs, size_t first, std::span<const float> taps, bool silu) const {
  const size_t count = taps.size() / inputs.cols;
  Matrix y(inputs.rows - first, inputs.cols);
  forRows(y.rows, [&](size_t r) {
    std::vector<const float*> last(count);
    for (size_t j = 0; j < count; ++j)
      last[j] = first + r + j + 1 < count ? nullptr : inputs.row(first + r + j + 1 - count);
    reference::shortConv<float>(last.data(), taps.data(), inputs.cols, count, silu, y.row(r));
  });
  return y;
}

Matrix FloatOps::deltaRule(const DeltaRuleShape& shape, const Matrix& x, const Matrix& decay, const Matrix& beta,
                           std::span<const float> rate, std::span<const float> dt, DeltaState& state) const {
  const size_t size = shape.headSize;
  Matrix y(x.rows, shape.valueHeads * size);
  forRows(shape.valueHeads, [&](size_t head) {
    std::vector<float> query(size), key(size);
    for (size_t r = 0; r < x.rows; ++r)
      reference::deltaRule<float>(shape, head, x.row(r), decay.row(r)[head], beta.row(r)[head], rate[head], dt[head],
                                  state.values.data() + head * size * size, query.data(), key.data(),
                                  y.row(r) + head * size);
  });
  state.position += static_cast<int32_t>(x.rows);
  return y;
}

Matrix FloatOps::takeColumns(const Matrix& x, size_t count, size_t group, size_t first) const {
  Matrix y(x.rows, x.cols / group * count);
  for (size_t r = 0; r < x.rows; ++r)
    for (size_t g = 0; g < x.cols / group; ++g) std::copy_n(x.row(r) + g * group + first, count, y.row(r) + g * count);
  return y;
}
template Matrix FloatOps::attention(const AttentionShape&, const CausalAttention&, const Matrix&, const Cache&,
                                    std::span<const int32_t>) const;
template Matrix FloatOps::attention(const AttentionShape&, const TwoWayAttention&, const Matrix&, const Cache&,
                                    std::span<const int32_t>) const;

Matrix FloatOps::glu(Activation activation, const Matrix& gate, const Matrix& up) const {
  Matrix y(gate.rows, gate.cols);
  forRows(y.rows, [&](size_t r) { reference::glu<float>(activation, gate.row(r), up.row(r), y.cols, y.row(r)); });
  return y;
}

Matrix FloatOps::activate(Activation activation, const Matrix& x) const {
  Matrix y = x;
  for (float& value : y.values) value = reference::activate<float>(activation, value);
  return y;
}

Matrix FloatOps::add(const Matrix& a, const Matrix& b) const {
  Matrix y(a.rows, a.cols);
  reference::add<float>(a.values.data(), b.values.data(), y.values.size(), y.values.data());
  return y;
}

Matrix FloatOps::scale(const Matrix& x, float factor) const {
  Matrix y = x;
  for (float& value : y.values) value *= factor;
  return y;
}

Matrix FloatOps::softcap(const Matrix& x, double cap) const {
  Matrix y(x.rows, x.cols);
  forRows(y.rows, [&](size_t r) { reference::softcap<float>(x.row(r), cap, y.cols, y.row(r)); });
  return y;
}

Matrix FloatOps::quantized(const Matrix& x) const {
  Matrix y(x.rows, x.cols);
  forRows(x.rows, [&](size_t r) {
    std::vector<int8_t> codes(x.cols);
    std::vector<RowScale> scales(x.cols / kQuantizedGroup);
    quantizeRows(x.row(r), 1, x.cols, codes.data(), scales.data());
    dequantizeRows<float>(codes.data(), scales.data(), x.cols, y.row(r));
  });
  return y;
}

} // namespace llcuda::reference
