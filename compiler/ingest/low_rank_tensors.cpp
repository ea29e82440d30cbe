// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/low_rank_tensors.h"

#include <algorithm>

#include "codegen/formats/weight_layout.h"

namespace llcuda::ingest {
namespace {

constexpr std::string_view kWeight = ".weight", kInput = ".lora_a", kOutput = ".lora_b";

/// Modules of a layer that read the same rows, and what they are called together.
struct Readers {
  std::string_view module, together;
};
constexpr Readers kReaders[] = {{".attn_q", ".attn_qkv"},
                                {".attn_k", ".attn_qkv"},
                                {".attn_v", ".attn_qkv"},
                                {".ffn_gate", ".ffn_gate_up"},
                                {".ffn_up", ".ffn_gate_up"}};

std::string_view withoutSuffix(std::string_view weight) {
  return weight.ends_with(kWeight) ? weight.substr(0, weight.size() - kWeight.size()) : weight;
}

uint64_t paddedRank(uint64_t rank) {
  return (rank + kWeightBlock - 1) / kWeightBlock * kWeightBlock;
}

} // namespace

uint64_t LoraPlace::adapterRow(uint64_t row) const {
  const uint64_t own = row - firstRow;
  if (pairRows == 0)
    return own;
  const uint64_t inGroup = own % pairRows;
  return own - inGroup + inGroup % 2 * (pairRows / 2) + inGroup / 2;
}

std::string lowRankInputName(std::string_view weight) {
  const std::string_view stem = withoutSuffix(weight);
  for (const auto& [module, together] : kReaders)
    if (stem.ends_with(module))
      return std::string(stem.substr(0, stem.size() - module.size())) + std::string(together) + std::string(kInput);
  return std::string(stem) + std::string(kInput);
}

std::string lowRankOutputName(std::string_view weight) {
  return std::string(withoutSuffix(weight)) + std::string(kOutput);
}

void LowRankTensors::add(const PlacedProduct& product, uint64_t rows) {
  const std::string name = lowRankInputName(product.place.tensor);
  Input& input = inputs[name];
  Output& output = outputs[lowRankOutputName(product.place.tensor)];
  entries.push_back({product, input.rank});
  input.columns = product.product->right.columns;
  input.rank += product.product->right.rows;
  input.entries.push_back(entries.size() - 1);
  output.rows = rows;
  output.input = name;
  output.entries.push_back(entries.size() - 1);
}

std::vector<TensorInfo> LowRankTensors::tensors() const {
  std::vector<TensorInfo> list;
  for (const auto& [name, input] : inputs)
    list.push_back({name, formats::TensorType::kF16, {input.columns, paddedRank(input.rank)}});
  for (const auto& [name, output] : outputs)
    list.push_back(
        {name, formats::TensorType::kF16, {paddedRank(inputs.find(output.input)->second.rank), output.rows}});
  return list;
}

Result<TensorBytes> LowRankTensors::read(const TensorInfo& tensor, unsigned threads) const {
  if (const auto input = inputs.find(tensor.name); input != inputs.end())
    return readInput(tensor, input->second, threads);
  if (const auto output = outputs.find(tensor.name); output != outputs.end())
    return readOutput(tensor, output->second, threads);
  return internalError("the adapters have no tensor ", tensor.name);
}

Result<TensorBytes> LowRankTensors::readInput(const TensorInfo& tensor, const Input& input, unsigned threads) const {
  std::vector<float> rows(rowsOf(tensor) * input.columns);
  for (const size_t index : input.entries) {
    const Entry& entry = entries[index];
    std::ranges::copy(entry.placed.product->right.values(),
                      rows.begin() + static_cast<ptrdiff_t>(entry.first * input.columns));
  }
  return encodeRows(
      tensor,
      [&](uint64_t row, float* values) { std::copy_n(rows.data() + row * input.columns, input.columns, values); },
      threads);
}

Result<TensorBytes> LowRankTensors::readOutput(const TensorInfo& tensor, const Output& output, unsigned threads) const {
  std::vector<std::vector<float>> left;
  for (const size_t index : output.entries) left.push_back(entries[index].placed.product->left.values());
  const auto read = [&](uint64_t row, float* values) {
    std::fill_n(values, columnsOf(tensor), 0.0F);
    for (size_t i = 0; i < left.size(); ++i) {
      const auto& [placed, first] = entries[output.entries[i]];
      if (!placed.place.contains(row))
        continue;
      const uint64_t rank = placed.product->left.columns, from = placed.place.adapterRow(row) * rank;
      for (uint64_t k = 0; k < rank; ++k) values[first + k] = static_cast<float>(placed.scale * left[i][from + k]);
    }
  };
  return encodeRows(tensor, read, threads);
}

} // namespace llcuda::ingest
