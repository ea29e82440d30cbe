// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/golden.h"

#include "codegen/reference/log_softmax.h"
#include "compiler/reference/interpreted_model.h"

namespace llcuda::pipeline {

const std::string_view kGoldenText = "The quick brown fox jumps over the lazy dog, and in 1969 two people walked on "
                                     "the Moon while the world watched.";

std::vector<int32_t> goldenIds(size_t count, uint32_t vocabulary) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = static_cast<int32_t>((i * 2654435761u + 1) % vocabulary);
  return ids;
}

Result<fb::GoldenT> goldenForward(std::shared_ptr<const models::OpenedModel> opened, std::span<const int32_t> tokens,
                                  unsigned threads) {
  const auto positions = static_cast<uint32_t>(tokens.size());
  LLCUDA_ASSIGN_OR_RETURN(const auto model, reference::InterpretedModel::create(std::move(opened), positions, threads));
  LLCUDA_ASSIGN_OR_RETURN(const reference::Matrix logits, model.logits(tokens));
  fb::GoldenT golden;
  golden.tokens.assign(tokens.begin(), tokens.end());
  for (size_t i = 0; i < logits.rows; ++i) {
    const float* row = logits.row(i);
    const double norm = reference::logSumExp(row, logits.cols);
    for (const int32_t token : reference::topK(row, logits.cols, kGoldenTop))
      golden.top.emplace_back(token, static_cast<float>(row[token] - norm));
  }
  return golden;
}

} // namespace llcuda::pipeline
