// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kHead = "output.weight";
constexpr size_t kMaxDimensions = 4;

/// The tensors beside quantised weights, by the GGUF name of the weight.
std::map<std::string, BnbParts> companionsOf(const SafetensorsSet& files, const HfNaming& naming) {
  std::map<std::string, BnbParts> companions;
  for (const SafetensorsTensor* tensor : files.tensors())
    if (const HfName name = translateHfName(tensor->name, naming); name.kind == HfName::Kind::kCompanion)
      companions[name.gguf].emplace(name.part, tensor);
  return companions;
}

/// A tensor of the file under its GGUF name.
Result<TensorInfo> describePlain(const SafetensorsTensor& tensor, std::string gguf) {
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

/// "bitsandbytes: 224 weights as nf4, 2 as f16, whose rows are no whole blocks"
std::string describeLayers(const std::unordered_map<std::string, BnbLayer>& layers) {
  std::map<std::pair<bool, TensorType>, size_t> counts; // those that were widened last
  for (const auto& [name, layer] : layers) ++counts[{layer.isWidened(), layer.describe(name).type}];
  std::string text;
  for (const auto& [kind, count] : counts)
    text += (text.empty() ? "bitsandbytes: " : ", ") + std::to_string(count) + " weights as " +
            std::string(formats::tensorTypeInfo(kind.second).name) +
            (kind.first ? ", whose rows are no whole blocks" : "");
  return text;
}

} // namespace

Result<std::unique_ptr<HfCheckpoint>> HfCheckpoint::open(SafetensorsSet files, const HfCheckpointOptions& options) {
  std::unique_ptr<HfCheckpoint> checkpoint(new HfCheckpoint(std::move(files), options.naming));
  LLCUDA_RETURN_IF_ERROR(checkpoint->list(options));
  return checkpoint;
}

Result<TensorInfo> HfCheckpoint::describe(const SafetensorsTensor& tensor, std::string gguf, const BnbParts* parts) {
  if (!parts)
    return describePlain(tensor, std::move(gguf));
  if (const auto scales = parts->find("scales"); scales != parts->end() && parts->size() == 1) {
    LLCUDA_ASSIGN_OR_RETURN(const Mxfp4Blocks opened, Mxfp4Blocks::open(tensor, *scales->second));
    blocks.emplace(gguf, opened);
    return opened.describe(std::move(gguf));
  }
  LLCUDA_ASSIGN_OR_RETURN(BnbLayer layer, BnbLayer::open(tensor, *parts));
  TensorInfo info = layer.describe(gguf);
  layers.emplace(std::move(gguf), std::move(layer));
  return info;
}

Error HfCheckpoint::inFile(const SafetensorsTensor& tensor, const Error& error) const {
  return makeError(error.code, files.place(tensor).path, ": ", error.message);
}

/// Whether the files hold a head whose values are not those of the embedding.
bool HfCheckpoint::hasOtherHead() const {
  const SafetensorsTensor *embedding = nullptr, *head = nullptr;
  for (const SafetensorsTensor* tensor : files.tensors()) {
    const HfName name = translateHfName(tensor->name, naming);
    if (name.kind == HfName::Kind::kTensor && name.gguf == kEmbedding)
      embedding = tensor;
    if (name.kind == HfName::Kind::kTensor && name.gguf == kHead)
      head = tensor;
  }
  return embedding && head &&
         (head->type != embedding->type || head->shape != embedding->shape ||
          std::memcmp(head->data.data(), embedding->data.data(), head->data.size()) != 0);
}

Result<void> HfCheckpoint::list(const HfCheckpointOptions& options) {
  std::vector<TensorInfo> tensors;
  const std::map<std::string, BnbParts> companions = companionsOf(files, naming);
  const bool untied = options.tiedHead && !companions.contains(std::string(kHead)) && hasOtherHead();
  const bool tied = options.tiedHead && !untied;
  if (untied)
    remarks.push_back(files.path() + ": config.json ties head and embedding, but lm_head.weight is not the embedding: "
                                     "the head is taken from the file, as transformers does");
  size_t otherParts = 0;
  for (const SafetensorsTensor* tensor : files.tensors()) {
    HfName name = translateHfName(tensor->name, naming);
    switch (name.kind) {
    case HfName::Kind::kUnknown:
      return inFile(*tensor,
                    unsupported("tensor ", Quoted{tensor->name}, " is not part of any architecture that is supported"));
    case HfName::Kind::kCompanion:
    case HfName::Kind::kDerived:
      continue;
    case HfName::Kind::kOtherPart:
      ++otherParts;
      continue;
    case HfName::Kind::kTensor:
      break;
    }
    if (tied && name.gguf == kHead)
      continue;
    if (!sources.emplace(name.gguf, tensor).second)
      return badInput(files.path(), ": tensors ", Quoted{sources[name.gguf]->name}, " and ", Quoted{tensor->name},
                      " are the same tensor of the model");
    const auto parts = companions.find(name.gguf);
    Result<TensorInfo> info =
        describe(*tensor, std::move(name.gguf), parts == companions.end() ? nullptr : &parts->second);
    if (!info)
      return inFile(*tensor, info.error());
    tensors.push_back(*std::move(info));
  }
  if (!sources.contains(std::string(kEmbedding)))
    return badInput(files.path(), ": has no tensor of the embedding (", naming.embedding(), ".weight)");
  if (options.hasHead && !tied && !sources.contains(std::string(kHead))) {
    // A model that was saved without its head has no prefix.
    if (sources.at(std::string(kEmbedding))->name != std::string(naming.embedding()) + ".weight")
      return badInput(files.path(),
                      ": has no lm_head.weight, and its config.json does not say that embedding and head are tied");
    remarks.push_back(files.path() + ": was saved without a head, for embeddings of texts: a generation takes the "
                                     "token embedding for it");
  }
  for (const auto& [weight, parts] : companions)
    if (!sources.contains(weight) && !(tied && weight == kHead))
      return inFile(*parts.begin()->second, badInput("tensor ", Quoted{parts.begin()->second->name},
                                                     " belongs to a weight that the file lacks"));
  if (!layers.empty())
    remarks.push_back(describeLayers(layers));
  if (!blocks.empty())
    remarks.push_back(std::to_string(blocks.size()) + " weights in blocks of mxfp4");
  if (otherParts != 0)
    remarks.push_back(files.path() + ": " + std::to_string(otherParts) +
                      (options.hasHead ? " tensors of parts that see, hear or predict further tokens are left out"
                                       : " tensors of its pooler and heads are left out"));
  setTensors(std::move(tensors));
  return {};
}

Result<TensorBytes> HfCheckpoint::read(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  if (found == sources.end())
    return internalError("tensor ", tensor.name, " is not in the checkpoint");
  const SafetensorsTensor& source = *found->second;
  if (const auto layer = layers.find(tensor.name); layer != layers.end()) {
    Result<TensorBytes> bytes = layer->second.read();
    return bytes ? std::move(bytes) : inFile(source, bytes.error());
  }
  if (const auto stored = blocks.find(tensor.name); stored != blocks.end()) {
    Result<TensorBytes> bytes = stored->second.read();
    return bytes ? std::move(bytes) : inFile(source, bytes.error());
  }
  if (isAligned(source))
    return TensorBytes{tensor.type, source.data};
  auto copy = std::make_shared<std::vector<std::byte>>(source.data.begin(), source.data.end());
  const std::span<const std::byte> bytes = *copy;
  return TensorBytes{tensor.type, bytes, std::move(copy)};
}

std::optional<FilePlace> HfCheckpoint::filePlace(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  // What is quantised is computed.
  if (found == sources.end() || layers.contains(tensor.name) || blocks.contains(tensor.name))
    return std::nullopt;
  return files.place(*found->second);
}

std::string HfCheckpoint::title(std::string_view name) const {
  if (const auto found = sources.find(std::string(name)); found != sources.end())
    return found->second->name + " of " + files.place(*found->second).path;
  // Beside the embedding, whose name says what the file puts before all of them.
  const std::string& embedding = sources.at(std::string(kEmbedding))->name;
  return hfNameOf(name, naming, embedding.substr(0, embedding.rfind(naming.embedding())));
}

} // namespace llcuda::ingest
