// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/layout_names.h"

#include <algorithm>
#include <iterator>

namespace llcuda::formats {
namespace {

constexpr std::string_view kNames[] = {
#define LLCUDA_WEIGHT_LAYOUT(enumerator, name, ...) name,
#include "codegen/formats/encodings.inc"
};
constexpr std::string_view kEnumerators[] = {
#define LLCUDA_WEIGHT_LAYOUT(enumerator, ...) #enumerator,
#include "codegen/formats/encodings.inc"
};

} // namespace

std::string_view layoutName(WeightLayout layout) {
  return kNames[static_cast<size_t>(layout)];
}

std::optional<WeightLayout> layoutByName(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  return found == std::end(kNames) ? std::nullopt : std::optional(static_cast<WeightLayout>(found - kNames));
}

std::string_view layoutEnumerator(WeightLayout layout) {
  return kEnumerators[static_cast<size_t>(layout)];
}

std::string_view layoutFormat(WeightLayout layout) {
  const std::string_view name = layoutName(layout);
  return name.substr(0, name.rfind('_'));
}

} // namespace llcuda::formats
