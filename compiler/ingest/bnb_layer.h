// SPDX-License-Identifier: Apache-2.0
// A weight that bitsandbytes quantised, from its tensors in a safetensors file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "compiler/ingest/bnb_four_bit.h"
#include "compiler/ingest/bnb_int8.h"
#include "compiler/ingest/safetensors_reader.h"

namespace llcuda::ingest {

/// The tensors beside a weight by what follows its name: "absmax", "quant_state.bitsandbytes__nf4", "SCB".
using BnbParts = std::map<std::string, const SafetensorsTensor*, std::less<>>;

class BnbLayer {
public:
  /// 4 bits or int8, by the parts that are there. A part that is missing, or has another dtype or size than the weight
  /// asks for, is kBadInput. The tensors must outlive the layer.
  static Result<BnbLayer> open(const SafetensorsTensor& weight, const BnbParts& parts);

  TensorInfo describe(std::string name) const;
  Result<TensorBytes> read() const;
  /// Whether the weight takes more bytes than in the file, since its rows are no whole blocks.
  bool isWidened() const;

private:
  using Layer = std::variant<BnbFourBit, BnbInt8>;
  explicit BnbLayer(Layer layer) : layer(std::move(layer)) {}

  Layer layer;
};

} // namespace llcuda::ingest
