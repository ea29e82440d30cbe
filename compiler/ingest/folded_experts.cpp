// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/folded_experts.h"

#include <algorithm>
#include <cstring>

#include "codegen/formats/dequantize.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

/// What a tensor of a layer holds, by what follows `blk.<layer>.`.
struct Form {
  std::string_view name;
  bool down, bias, columns;
};
constexpr Form kForms[] = {
    {"ffn_gate_up_exps.weight", false, false, false},     {"ffn_gate_up_exps_columns.weight", false, false, true},
    {"ffn_down_exps_columns.weight", true, false, true},  {"ffn_gate_up_exps.bias", false, true, false},
    {"ffn_gate_up_exps_bias.weight", false, true, false}, {"ffn_down_exps.bias", true, true, false},
    {"ffn_down_exps_bias.weight", true, true, false}};

const Form* formOf(std::string_view name) {
  if (!layerOf(name))
    return nullptr;
  const auto found = std::ranges::find(kForms, name.substr(name.find('.', 4) + 1), &Form::name);
  return found == std::end(kForms) ? nullptr : found;
}

uint64_t elementsOf(const TensorInfo& tensor) {
  uint64_t elements = 1;
  for (const uint64_t dim : tensor.dims) elements *= dim;
  return elements;
}

} // namespace

Result<std::unique_ptr<const Checkpoint>> FoldedExperts::over(std::unique_ptr<const Checkpoint> base, bool byTurns) {
  std::unique_ptr<FoldedExperts> made(new FoldedExperts(std::move(base), byTurns));
  LLCUDA_RETURN_IF_ERROR(made->unfold());
  return std::unique_ptr<const Checkpoint>(std::move(made));
}

Result<void> FoldedExperts::add(TensorInfo made, const Source& source, std::vector<TensorInfo>& tensors) {
  const bool twice =
      !sources.emplace(made.name, source).second || (base->find(made.name) && base->find(made.name) != source.stored);
  if (twice)
    return badInput("tensor ", base->title(source.stored->name), " holds ", made.name,
                    ", which another tensor holds too");
  tensors.push_back(std::move(made));
  return {};
}

Result<void> FoldedExperts::addWeights(const TensorInfo& stored, const std::string& layer, bool down, bool columns,
                                       std::vector<TensorInfo>& tensors) {
  if (stored.dims.size() != 3)
    return badInput("tensor ", base->title(stored.name), " has ", stored.dims.size(),
                    " dimensions; those of experts have 3");
  if (columns && formats::tensorTypeInfo(stored.type).blockElements != 1)
    return unsupported("tensor ", base->title(stored.name), " is ", formats::tensorTypeInfo(stored.type).name,
                       ", whose inputs cannot come before its outputs");
  const uint64_t inputs = stored.dims[columns ? 1 : 0], outputs = stored.dims[columns ? 0 : 1];
  if (down)
    return add({layer + "ffn_down_exps.weight", stored.type, {inputs, outputs, stored.dims[2]}},
               {&stored, Part::kAll, columns}, tensors);
  if (outputs % 2 != 0)
    return badInput("tensor ", base->title(stored.name), " has ", outputs, " rows, which are not those of gate and up");
  for (const bool up : {false, true})
    LLCUDA_RETURN_IF_ERROR(add({layer + (up ? "ffn_up_exps.weight" : "ffn_gate_exps.weight"),
                                stored.type,
                                {inputs, outputs / 2, stored.dims[2]}},
                               {&stored, up ? Part::kUp : Part::kGate, columns}, tensors));
  return {};
}

Result<void> FoldedExperts::addBiases(const TensorInfo& stored, const std::string& layer, bool down,
                                      std::vector<TensorInfo>& tensors) {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(stored.type);
  if (stored.dims.size() != 2 || info.blockElements != 1 || !formats::canDequantize(stored.type))
    return badInput("tensor ", base->title(stored.name), " of ", stored.dims.size(), " dimensions is ", info.name,
                    "; biases of experts are f32, f16 or bf16 of 2");
  if (down)
    return add({layer + "ffn_down_exps.bias", TensorType::kF32, stored.dims}, {&stored, Part::kAll, false}, tensors);
  if (stored.dims[0] % 2 != 0)
    return badInput("tensor ", base->title(stored.name), " has ", stored.dims[0],
                    " elements of each expert, which are not those of gate and up");
  for (const bool up : {false, true})
    LLCUDA_RETURN_IF_ERROR(add({layer + (up ? "ffn_up_exps.bias" : "ffn_gate_exps.bias"),
                                TensorType::kF32,
                                {stored.dims[0] / 2, stored.dims[1]}},
                               {&stored, up ? Part::kUp : Part::kGate, false}, tensors));
  return {};
}

Result<void> FoldedExperts::unfold() {
  std::vector<TensorInfo> tensors;
  for (const TensorInfo& tensor : base->tensors()) {
    const Form* form = formOf(tensor.name);
    if (!form) {
      tensors.push_back(tensor);
      continue;
    }
    const std::string layer = tensor.name.substr(0, tensor.name.size() - form->name.size());
    if (form->bias)
      LLCUDA_RETURN_IF_ERROR(addBiases(tensor, layer, form->down, tensors));
    else
      LLCUDA_RETURN_IF_ERROR(addWeights(tensor, layer, form->down, form->columns, tensors));
  }
  setTensors(std::move(tensors));
  return {};
}

uint64_t FoldedExperts::rowOf(Part part, uint64_t row, uint64_t rows) const {
  if (part == Part::kAll)
    return row;
  return byTurns ? 2 * row + (part == Part::kUp) : row + (part == Part::kUp ? rows : 0);
}

Result<TensorBytes> FoldedExperts::read(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  if (found == sources.end())
    return readStored(tensor);
  const Source& source = found->second;
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes from, base->read(*source.stored));
  const bool isBias = tensor.dims.size() == 2;
  if (isBias && from.type != TensorType::kF32) {
    const auto floats = std::make_shared<std::vector<float>>(elementsOf(*source.stored));
    formats::dequantizeRow(from.type, from.bytes.data(), floats->size(), floats->data());
    from = {TensorType::kF32, std::as_bytes(std::span(*floats)), floats};
  }
  // Of a bias a row is one element, and a weight that has columns first is moved element by element.
  const uint64_t inputs = isBias ? 1 : tensor.dims[0], rows = tensor.dims[isBias ? 0 : 1], experts = tensor.dims.back();
  const uint64_t storedRows = source.part == Part::kAll ? rows : 2 * rows;
  const uint64_t rowBytes = from.bytes.size() / (experts * storedRows), elementBytes = rowBytes / inputs;
  const auto made = std::make_shared<std::vector<std::byte>>(experts * rows * rowBytes);
  for (uint64_t expert = 0; expert < experts; ++expert)
    for (uint64_t row = 0; row < rows; ++row) {
      const uint64_t stored = rowOf(source.part, row, rows);
      std::byte* const to = made->data() + (expert * rows + row) * rowBytes;
      const std::byte* const first = from.bytes.data() + expert * storedRows * rowBytes;
      if (!source.columns) {
        std::memcpy(to, first + stored * rowBytes, rowBytes);
        continue;
      }
      for (uint64_t input = 0; input < inputs; ++input)
        std::memcpy(to + input * elementBytes, first + (input * storedRows + stored) * elementBytes, elementBytes);
    }
  return TensorBytes{from.type, *made, made};
}

std::optional<FilePlace> FoldedExperts::filePlace(const TensorInfo& tensor) const {
  return sources.contains(tensor.name) ? std::nullopt : CheckpointOver::filePlace(tensor);
}

std::string FoldedExperts::title(std::string_view name) const {
  const auto found = sources.find(name);
  return base->title(found == sources.end() ? name : std::string_view(found->second.stored->name));
}

} // namespace llcuda::ingest
