// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/quantized_checkpoint.h"

#include <cstdio>
#include <map>

#include "compiler/ingest/encode_rows.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

std::string mebibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

} // namespace

std::string_view headName(const Checkpoint& checkpoint) {
  return checkpoint.find("output.weight") ? "output.weight" : "token_embd.weight";
}

std::string headAdvice(const Checkpoint& checkpoint) {
  const TensorInfo* head = checkpoint.find(headName(checkpoint));
  if (!head || columnsOf(*head) % 32 != 0 || formats::tensorTypeInfo(head->type).blockElements != 1)
    return "";
  const uint64_t stored = encodedBytes(*head, head->type), quantized = encodedBytes(*head, TensorType::kQ8_0);
  return "the head is " + std::string(formats::tensorTypeInfo(head->type).name) + ", " + mebibytes(stored) +
         "; --head q8_0 would save " + mebibytes(stored - quantized);
}

Result<std::unique_ptr<QuantizedCheckpoint>> QuantizedCheckpoint::create(std::unique_ptr<const Checkpoint> base,
                                                                         uint64_t layers,
                                                                         const QuantizeOptions& options,
                                                                         unsigned threads) {
  std::unique_ptr<QuantizedCheckpoint> checkpoint(new QuantizedCheckpoint(std::move(base), threads));
  const Checkpoint& stored = *checkpoint->base;
  const QuantizedModel model = {layers, headName(stored)};
  std::vector<TensorInfo> tensors(stored.tensors().begin(), stored.tensors().end());
  for (TensorInfo& tensor : tensors) {
    const Result<TensorType> type = quantizedType(tensor, model, options);
    if (!type)
      return makeError(type.error().code, "tensor ", stored.title(tensor.name), " ", type.error().message);
    tensor.type = *type;
  }
  checkpoint->setTensors(std::move(tensors));
  checkpoint->describe(model.head, options);
  return checkpoint;
}

Result<TensorBytes> QuantizedCheckpoint::read(const TensorInfo& tensor) const {
  const TensorInfo* stored = base->find(tensor.name);
  if (!stored)
    return internalError("the checkpoint has no tensor ", tensor.name);
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes bytes, base->read(*stored));
  if (bytes.type == tensor.type)
    return bytes;
  Result<TensorBytes> encoded = encodeRows(tensor, decodedRows(tensor, std::move(bytes)), threads);
  return encoded ? std::move(encoded) : errorOf(*this, tensor.name, encoded.error());
}

void QuantizedCheckpoint::describe(std::string_view head, const QuantizeOptions& options) {
  std::map<TensorType, size_t> counts;
  uint64_t before = 0, after = 0;
  for (const TensorInfo& tensor : tensors()) {
    const TensorInfo& stored = *base->find(tensor.name);
    before += encodedBytes(stored, stored.type);
    after += encodedBytes(tensor, tensor.type);
    if (tensor.type != stored.type)
      ++counts[tensor.type];
  }
  if (options.quantization) {
    std::string types;
    for (const auto& [type, count] : counts)
      types +=
          (types.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(formats::tensorTypeInfo(type).name);
    noteList.push_back("quantised to " + std::string(quantizationName(*options.quantization)) + ": " +
                       (types.empty() ? "nothing" : types) + "; weights " + mebibytes(before) + " -> " +
                       mebibytes(after));
  }
  const TensorInfo* made = find(head);
  const TensorInfo* stored = base->find(head);
  if (made && options.head && made->type != stored->type)
    noteList.push_back(
        "the head " + base->title(head) + " went from " + mebibytes(encodedBytes(*stored, stored->type)) + " to " +
        mebibytes(encodedBytes(*made, made->type)) + " as " + std::string(formats::tensorTypeInfo(made->type).name));
  else if (!options.head)
    if (std::string advice = headAdvice(*this); !advice.empty())
      noteList.push_back(std::move(advice));
}

} // namespace llcuda::ingest
