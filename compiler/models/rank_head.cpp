// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/rank_head.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "codegen/formats/dequantize.h"
#include "compiler/ingest/kept_tensors.h"

namespace llcuda::models {
namespace {

using ingest::TensorInfo;

constexpr std::string_view kRankHead = "cls.output.weight";
constexpr std::string_view kLabels[] = {"yes", "no"};
constexpr double kSameRow = 0.9; // cosine: either may be quantised, down to two bits a weight

std::optional<std::vector<std::string_view>> textsOf(const ingest::GgufFile& file, const std::string& key) {
  const ingest::GgufValue* value = file.find(key);
  return value ? value->asStrings() : std::nullopt;
}

Result<std::vector<float>> rowOf(const ingest::Checkpoint& checkpoint, const TensorInfo& tensor, uint64_t row) {
  LLCUDA_ASSIGN_OR_RETURN(const ingest::TensorBytes stored, checkpoint.read(tensor));
  const uint64_t rows = tensor.dims.size() == 2 ? tensor.dims[1] : 0;
  if (row >= rows || !formats::canDequantize(stored.type))
    return unsupported(checkpoint.title(tensor.name), " has no row ", row, " that can be compared with ", kRankHead);
  std::vector<float> values(tensor.dims[0]);
  formats::dequantizeRow(stored.type, stored.bytes.data() + row * (stored.bytes.size() / rows), values.size(),
                         values.data());
  return values;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, squaresA = 0, squaresB = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    dot += double(a[i]) * b[i];
    squaresA += double(a[i]) * a[i];
    squaresB += double(b[i]) * b[i];
  }
  return squaresA > 0 && squaresB > 0 ? dot / std::sqrt(squaresA * squaresB) : 0;
}

} // namespace

Result<void> leaveRankHead(const ingest::GgufFile& metadata, OpenedModel& model) {
  const TensorInfo* const rank = model.checkpoint->find(kRankHead);
  if (!rank)
    return {};
  const ingest::GgufValue& architecture = *metadata.find("general.architecture"); // which the configuration was read by
  const std::string labels = std::string(*architecture.asString()) + ".classifier.output_labels";
  if (const auto given = textsOf(metadata, labels); !given || !std::ranges::equal(*given, kLabels))
    return unsupported(metadata.path(), ": has the tensor ", kRankHead, " without ", labels,
                       " of yes and no; other heads that rank texts are not supported");
  const auto words = textsOf(metadata, "tokenizer.ggml.tokens");
  const TensorInfo* head = model.checkpoint->find("output.weight");
  if (!head)
    head = model.checkpoint->find("token_embd.weight");
  for (size_t i = 0; i < std::size(kLabels); ++i) {
    const auto token = words ? std::ranges::find(*words, kLabels[i]) : std::vector<std::string_view>::const_iterator();
    if (!words || token == words->end() || !head)
      return unsupported(metadata.path(), ": ranks texts by the token ", kLabels[i], ", which it does not have");
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<float> wanted, rowOf(*model.checkpoint, *rank, i));
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<float> found,
                            rowOf(*model.checkpoint, *head, static_cast<uint64_t>(token - words->begin())));
    if (wanted.size() != found.size() || !(cosine(wanted, found) >= kSameRow))
      return unsupported(metadata.path(), ": ", kRankHead,
                         " is of a head that the file lacks; take the folder that the "
                         "file was made of");
  }
  model.notes.push_back(metadata.path() + ": " + std::string(kRankHead) +
                        " is left out: the head has the same rows; llcuda-serve --rerank ranks by them");
  model.checkpoint = std::make_unique<ingest::KeptTensors>(
      std::move(model.checkpoint), [](const TensorInfo& tensor) { return tensor.name != kRankHead; });
  return {};
}

} // namespace llcuda::models
