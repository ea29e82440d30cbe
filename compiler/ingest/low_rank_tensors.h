// SPDX-License-Identifier: Apache-2.0
// Low-rank products that stay beside their weights, as tensors of a model: y = W x + B (A x).
//
// `blk.0.attn_output.lora_a` is A, [rank][columns of the weight]; `blk.0.attn_output.lora_b` is B, [rows of the
// weight][rank], times the scale. Linears that read the same rows x share one A, so that it is multiplied with them
// once: `blk.0.attn_qkv.lora_a` of queries, keys and values, `blk.0.ffn_gate_up.lora_a` of gate and up. It has the rows
// of all, and each B has zeros where the others' are. Ranks are filled up with zeros to whole blocks, as linears have
// their columns.
#pragma once

#include <map>

#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/lora_adapter.h"

namespace llcuda::ingest {

/// Rows of a tensor that a part of an adapter is about.
struct LoraPlace {
  std::string tensor;
  uint64_t firstRow = 0, rows = 0;
  uint64_t pairRows = 0; ///< in the order of adjacent pairs, in groups of so many; 0: in the adapter's order

  bool contains(uint64_t row) const { return row >= firstRow && row - firstRow < rows; }
  uint64_t adapterRow(uint64_t row) const; ///< of row `row` of the tensor
};

struct PlacedProduct {
  LoraPlace place;
  const LoraProduct* product;
  double scale;
};

/// What the A and B of a weight `blk.0.attn_q.weight` are called.
std::string lowRankInputName(std::string_view weight);
std::string lowRankOutputName(std::string_view weight);

class LowRankTensors {
public:
  /// Of a weight of so many rows, in a layer. The product must outlive this.
  void add(const PlacedProduct& product, uint64_t rows);
  /// All of them, in f16.
  std::vector<TensorInfo> tensors() const;
  size_t products() const { return entries.size(); }
  bool has(std::string_view name) const { return inputs.contains(name) || outputs.contains(name); }
  Result<TensorBytes> read(const TensorInfo& tensor, unsigned threads) const;

private:
  struct Entry {
    PlacedProduct placed;
    uint64_t first; ///< of its rows of A
  };
  struct Input {
    uint64_t columns = 0, rank = 0;
    std::vector<size_t> entries;
  };
  struct Output {
    uint64_t rows = 0;
    std::string input;
    std::vector<size_t> entries;
  };
  Result<TensorBytes> readInput(const TensorInfo& tensor, const Input& input, unsigned threads) const;
  Result<TensorBytes> readOutput(const TensorInfo& tensor, const Output& output, unsigned threads) const;

  std::vector<Entry> entries;
  std::map<std::string, Input, std::less<>> inputs;   // by A
  std::map<std::string, Output, std::less<>> outputs; // by B
};

} // namespace llcuda::ingest
