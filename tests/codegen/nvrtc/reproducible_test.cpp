// SPDX-License-Identifier: Apache-2.0
// Two compiles of one kernel give the same bytes, for every weight layout. NVRTC orders some of what it makes by
// addresses of its own, which change from process to process: vectors that are zeros or a load, for one
// (linear_prompt_f32.cuh).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/nvrtc/compile_kernels.h"
#include "codegen/pack/pack.h"
#include "tests/codegen/linear_descs.h"
#include "tests/codegen/nvrtc/build_options.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kInputs = 256, kOutputs = 512;

std::vector<KernelSpec> specsOfLayouts() {
  std::vector<KernelSpec> specs;
  for (unsigned i = 0; i < kWeightLayouts; ++i) {
    const auto layout = static_cast<WeightLayout>(i);
    specs.push_back(
        linearLaunch(manyRows(linearOf(layout, 128, kInputs, kOutputs, StoreRows{.residual = true}))).kernel);
    if (!weightTakesTensorCores(layout))
      specs.push_back(linearLaunch(linearOf(layout, 1, kInputs, kOutputs)).kernel);
  }
  return specs;
}

TEST(Reproducible, KernelsOfEveryLayout) {
  const std::vector<KernelSpec> specs = specsOfLayouts();
  KernelCompileOptions options = buildOptions();
  options.cacheFolder.clear(); // or the second compile would be a copy
  const auto first = compileKernels(specs, options);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = compileKernels(specs, options);
  ASSERT_TRUE(second) << second.error().message;
  for (size_t i = 0; i < specs.size(); ++i) {
    EXPECT_EQ(first->kernels[i].ptx, second->kernels[i].ptx) << specs[i].name;
    EXPECT_EQ(first->kernels[i].cubin, second->kernels[i].cubin) << specs[i].name;
  }
}

} // namespace
} // namespace llcuda::codegen
