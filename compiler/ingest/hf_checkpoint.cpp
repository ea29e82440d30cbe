// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_checkpoint.h"

#include <algorithm>
#include <bit>

#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kHead = "output.weight";
constexpr size_t kMaxDimensions = 4;

/// A tensor of the file under its GGUF name.
Result<TensorInfo> describe(const SafetensorsTensor& tensor, std::string gguf) {
  const std::optional<TensorType> type = tensor.type->type;
  if (type != TensorType::kF32 && type != TensorType::kF16 && type != TensorType::kBF16)
    return unsupported("tensor ", Quoted{tensor.name}, " is ", tensor.type->name, "; F16, BF16 and F32 are supported");
  if (tensor.shape.empty() || tensor.shape.size() > kMaxDimensions)
    return badInput("tensor ", Quoted{tensor.name}, " has ", tensor.shape.size(), " dimensions, not 1 to ",
                    kMaxDimensions);
  return TensorInfo{std::move(gguf), *type, {tensor.shape.rbegin(), tensor.shape.rend()}};
}

bool isAligned(const SafetensorsTensor& tensor) {
  return std::bit_cast<uintptr_t>(tensor.data.data()) % (tensor.type->bits / 8) == 0;
}

} // namespace

Result<std::unique_ptr<HfCheckpoint>> HfCheckpoint::open(SafetensorsSet files, const HfCheckpointOptions& options) {
  std::unique_ptr<HfCheckpoint> checkpoint(new HfCheckpoint(std::move(files)));
  if (const Result<void> listed = checkpoint->list(options); !listed)
    return makeError(listed.error().code, checkpoint->files.path(), ": ", listed.error().message);
  return checkpoint;
}

Result<void> HfCheckpoint::list(const HfCheckpointOptions& options) {
  std::vector<TensorInfo> tensors;
  size_t otherParts = 0;
  for (const SafetensorsTensor* tensor : files.tensors()) {
    HfName name = translateHfName(tensor->name, options.naming);
    switch (name.kind) {
    case HfName::Kind::kUnknown:
      return unsupported("tensor ", Quoted{tensor->name}, " is not part of any architecture that is supported");
    case HfName::Kind::kCompanion:
      return unsupported("tensor ", Quoted{tensor->name}, " belongs to a quantised weight");
    case HfName::Kind::kDerived:
      continue;
    case HfName::Kind::kOtherPart:
      ++otherParts;
      continue;
    case HfName::Kind::kTensor:
      break;
    }
    if (options.tiedHead && name.gguf == kHead)
      continue;
    if (!sources.emplace(name.gguf, tensor).second)
      return badInput("tensors ", Quoted{sources[name.gguf]->name}, " and ", Quoted{tensor->name},
                      " are the same tensor of the model");
    LLCUDA_ASSIGN_OR_RETURN(TensorInfo info, describe(*tensor, std::move(name.gguf)));
    tensors.push_back(std::move(info));
  }
  if (!sources.contains(std::string(kEmbedding)))
    return badInput("has no tensor of the embedding (embed_tokens.weight)");
  if (!options.tiedHead && !sources.contains(std::string(kHead)))
    return badInput("has no lm_head.weight, and its config.json does not say that embedding and head are tied");
  if (otherParts != 0)
    remarks.push_back(files.path() + ": " + std::to_string(otherParts) +
                      " tensors of the vision part are left out: only text is supported");
  setTensors(std::move(tensors));
  return {};
}

Result<TensorBytes> HfCheckpoint::read(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  if (found == sources.end())
    return internalError("tensor ", tensor.name, " is not in the checkpoint");
  const SafetensorsTensor& source = *found->second;
  if (isAligned(source))
    return TensorBytes{tensor.type, source.data};
  auto copy = std::make_shared<std::vector<std::byte>>(source.data.begin(), source.data.end());
  const std::span<const std::byte> bytes = *copy;
  return TensorBytes{tensor.type, bytes, std::move(copy)};
}

std::optional<FilePlace> HfCheckpoint::filePlace(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  return found == sources.end() ? std::nullopt : std::optional(files.place(*found->second));
}

} // namespace llcuda::ingest
