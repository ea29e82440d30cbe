// SPDX-License-Identifier: Apache-2.0
// The layouts of weights as the types of a typed test.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "codegen/pack/pack.h"

namespace llcuda::testing {

/// The list without its first, which is there because every other begins with a comma.
template <typename, typename... Rest>
struct TypesAfter {
  using List = ::testing::Types<Rest...>;
};

/// One type for each layout: what a test says of it, with the layout as kLayout.
template <template <WeightLayout> typename L>
using AllLayouts = typename TypesAfter<void
#define LLCUDA_WEIGHT_LAYOUT(enumerator, ...) , L<WeightLayout::enumerator>
#include "codegen/formats/encodings.inc"
                                       >::List;

struct LayoutName {
  template <typename L>
  static std::string GetName(int) {
    return std::string(pack::layoutName(L::kLayout));
  }
};

} // namespace llcuda::testing
