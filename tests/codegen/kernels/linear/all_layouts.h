// SPDX-License-Identifier: Apache-2.0
// The layouts of weights as the types of a typed test.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "codegen/pack/pack.h"

namespace llcuda::testing {

/// One type for each layout: what a test says of it, with the layout as kLayout.
template <template <WeightLayout> typename L>
using AllLayouts =
    ::testing::Types<L<WeightLayout::kF32Rows>, L<WeightLayout::kF16Rows>, L<WeightLayout::kQ4_0Planes>,
                     L<WeightLayout::kQ4_1Planes>, L<WeightLayout::kQ8_0Planes>, L<WeightLayout::kQ5_0Planes>,
                     L<WeightLayout::kQ5_1Planes>, L<WeightLayout::kQ2_KPlanes>, L<WeightLayout::kQ3_KPlanes>,
                     L<WeightLayout::kQ4_KPlanes>, L<WeightLayout::kQ5_KPlanes>, L<WeightLayout::kQ6_KPlanes>,
                     L<WeightLayout::kIQ4_NLPlanes>, L<WeightLayout::kIQ4_XSPlanes>, L<WeightLayout::kMXFP4Planes>,
                     L<WeightLayout::kNf4Planes>, L<WeightLayout::kNf4ShortPlanes>, L<WeightLayout::kFp4Planes>,
                     L<WeightLayout::kFp4ShortPlanes>, L<WeightLayout::kS8Planes>>;
static_assert(static_cast<unsigned>(WeightLayout::kS8Planes) + 1 == kWeightLayouts);

struct LayoutName {
  template <typename L>
  static std::string GetName(int) {
    return std::string(pack::layoutName(L::kLayout));
  }
};

} // namespace llcuda::testing
