// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/weight_report.h"

#include <cstdio>
#include <set>

#include "codegen/formats/tensor_type.h"
#include "llvm/ADT/StringExtras.h"

namespace llcuda::pipeline {
namespace {

std::string mebibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

} // namespace

std::vector<std::string> reencodedWeights(plan::EngineOp plan) {
  uint64_t weights = 0, stored = 0, packed = 0;
  std::set<std::string> encodings;
  for (plan::BufferOp buffer : plan.getOps<plan::BufferOp>()) {
    const auto source = llvm::dyn_cast_if_present<plan::TensorAttr>(buffer.getSourceAttr());
    if (!source || source.getLayout() != WeightLayout::kS8Planes)
      continue;
    const formats::TensorTypeInfo& info = formats::tensorTypeInfo(source.getEncoding());
    ++weights;
    encodings.emplace(info.name);
    stored += static_cast<uint64_t>(source.getRows()) * static_cast<uint64_t>(source.getCols()) / info.blockElements *
              info.blockBytes;
    packed += static_cast<uint64_t>(buffer.getBytes());
  }
  if (weights == 0)
    return {};
  return {std::to_string(weights) + " weights (" + llvm::join(encodings, ", ") +
          ") have encodings without kernels of their own: re-encoded exactly, they take " + mebibytes(packed) +
          " instead of " + mebibytes(stored)};
}

} // namespace llcuda::pipeline
