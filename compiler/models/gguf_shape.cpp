// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_shape.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codegen/formats/dequantize.h"
#include "codegen/pack/source_row.h"
#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/quantization.h"
#include "compiler/models/gguf_rope.h"
#include "compiler/models/rope_frequencies.h"

namespace llcuda::models {
namespace {

using formats::TensorType;
using ingest::TensorBytes;
using ingest::TensorInfo;

bool isVector(const TensorInfo& tensor) {
  return tensor.dims.size() == 1 && ingest::isFloat(tensor.type);
}

std::vector<float> narrowed(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

/// By what the frequencies of each pair are divided.
std::vector<float> divisorsOf(const RopeConfig& rope, const ModelConfig& config) {
  RopeConfig plain = rope;
  plain.scaling = RopeScaling::kNone;
  plain.divisors.clear();
  const std::vector<double> usual = ropeAngles(plain, config.trainedContext, config.trainedContext).frequencies;
  const std::vector<double> scaled = ropeAngles(rope, config.trainedContext, config.trainedContext).frequencies;
  std::vector<float> divisors;
  for (size_t i = 0; i < usual.size(); ++i) divisors.push_back(static_cast<float>(usual[i] / scaled[i]));
  return divisors;
}

} // namespace

GgufShape::GgufShape(std::unique_ptr<const ingest::Checkpoint> base, const ModelConfig& config, const Family& target)
    : CheckpointOver(std::move(base)), normPlus(config.normPlus) {
  if (config.pairOrder == PairOrder::kHalves && target.ggufPairs == PairOrder::kAdjacent)
    for (const LayerConfig& layer : config.layers) headSizes.push_back(layer.headSize);
  const auto add = [&](const char* name, std::vector<float> values) {
    ropeTensors[name] = std::make_shared<const std::vector<float>>(std::move(values));
  };
  for (const RopeConfig& rope : config.ropes) {
    if (rope.scaling == RopeScaling::kLlama3)
      add(kRopeDivisors, divisorsOf(rope, config));
    if (rope.scaling != RopeScaling::kLongRope)
      continue;
    add(kRopeShortFactors, narrowed(rope.shortFactors));
    add(kRopeLongFactors, narrowed(rope.longFactors));
  }
  std::vector<TensorInfo> tensors(this->base->tensors().begin(), this->base->tensors().end());
  for (TensorInfo& tensor : tensors)
    if (isVector(tensor))
      tensor.type = TensorType::kF32;
  for (const auto& [name, values] : ropeTensors) tensors.push_back({name, TensorType::kF32, {values->size()}});
  setTensors(std::move(tensors));
}

size_t GgufShape::pairRowsOf(std::string_view name) const {
  const std::optional<uint64_t> layer = ingest::layerOf(name);
  const std::string_view module = name.substr(0, name.rfind('.'));
  const bool turns = module.ends_with(".attn_q") || module.ends_with(".attn_k");
  return layer && turns && *layer < headSizes.size() ? headSizes[*layer] : 0;
}

float GgufShape::plusOf(std::string_view name) const {
  return name.ends_with("norm.weight") ? normPlus : 0;
}

Result<TensorBytes> GgufShape::read(const TensorInfo& tensor) const {
  if (const auto rope = ropeTensors.find(tensor.name); rope != ropeTensors.end())
    return TensorBytes{TensorType::kF32, std::as_bytes(std::span(*rope->second)), rope->second};
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes stored, readStored(tensor));
  const size_t pairRows = pairRowsOf(tensor.name);
  if (tensor.dims.size() == 1 && ingest::isFloat(stored.type)) {
    const size_t count = ingest::columnsOf(tensor);
    std::vector<float> values(count);
    formats::dequantizeRow(stored.type, stored.bytes.data(), count, values.data());
    const auto ordered = std::make_shared<std::vector<float>>(count);
    for (size_t i = 0; i < count; ++i) (*ordered)[i] = values[pack::sourceRow(i, pairRows)] + plusOf(tensor.name);
    return TensorBytes{TensorType::kF32, std::as_bytes(std::span(*ordered)), ordered};
  }
  const uint64_t rows = ingest::rowsOf(tensor);
  if (pairRows == 0)
    return stored;
  const size_t rowBytes = stored.bytes.size() / rows;
  const auto ordered = std::make_shared<std::vector<std::byte>>(stored.bytes.size());
  for (size_t row = 0; row < rows; ++row)
    std::memcpy(ordered->data() + row * rowBytes, stored.bytes.data() + pack::sourceRow(row, pairRows) * rowBytes,
                rowBytes);
  return TensorBytes{stored.type, std::span<const std::byte>(*ordered), ordered};
}

std::optional<ingest::FilePlace> GgufShape::filePlace(const TensorInfo& tensor) const {
  const bool stays = !ropeTensors.contains(tensor.name) && pairRowsOf(tensor.name) == 0 && plusOf(tensor.name) == 0;
  return stays ? CheckpointOver::filePlace(tensor) : std::nullopt;
}

std::string GgufShape::title(std::string_view name) const {
  return ropeTensors.contains(name) ? std::string(name) : base->title(name);
}

} // namespace llcuda::models
