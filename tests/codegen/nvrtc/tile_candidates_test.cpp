// SPDX-License-Identifier: Apache-2.0
// Every tile that is proposed for measuring compiles for a T4 and fits its multiprocessor. It may spill: that is
// measured. With every commit those of one layout, nightly of each kind.
#include <gtest/gtest.h>

#include "codegen/nvrtc/compile_kernels.h"
#include "codegen/pack/pack.h"
#include "codegen/spec/t4.h"
#include "codegen/spec/tile_candidates.h"
#include "tests/codegen/linear_descs.h"
#include "tests/codegen/nvrtc/build_options.h"
#include "tests/nightly.h"

namespace llcuda::codegen {
namespace {

/// The launch with each of its candidates.
template <typename Request, typename Launch>
void addCandidates(Launch launch, std::vector<KernelSpec>& specs) {
  const LaunchSpec own = launch(TileTable{});
  const Request& request = std::get<Request>(own.tileRequest);
  TileTable table;
  const auto add = [&](auto& exceptions, const auto& tile) {
    const auto shapes = otherShapes(request, tile), occupancies = otherOccupancies(request, tile);
    for (const auto& list : {shapes, occupancies})
      for (const auto& candidate : list) {
        exceptions = {{request, candidate}};
        specs.push_back(launch(table).kernel);
      }
  };
  if constexpr (std::is_same_v<Request, DecodeTileRequest>)
    add(table.decode, chooseDecodeTile(request));
  else
    add(table.prompt, choosePromptTile(request));
}

std::vector<KernelSpec> candidatesOf(WeightLayout layout) {
  const bool int8 = weightReadsInt8Rows(layout);
  std::vector<KernelSpec> specs;
  addCandidates<DecodeTileRequest>(
      [&](const TileTable& tiles) {
        return linearLaunch(gluOf(layout, 1, 1024, 4096, {.f32Rows = !int8, .int8Rows = int8}), tiles);
      },
      specs);
  for (const uint32_t rows : {16u, 32u, 512u}) {
    addCandidates<PromptTileRequest>(
        [&](const TileTable& tiles) { return linearLaunch(manyRows(linearOf(layout, rows, 1024, 4096)), tiles); },
        specs);
    if (layout != WeightLayout::kF32Rows)
      addCandidates<PromptTileRequest>(
          [&](const TileTable& tiles) {
            return linearLaunch(manyRows(gluOf(layout, rows, 1024, 4096, {.f32Rows = !int8, .int8Rows = int8})), tiles);
          },
          specs);
  }
  return specs;
}

class TileCandidates : public testing::TestWithParam<WeightLayout> {};

TEST_P(TileCandidates, CompileForAT4) {
  const std::vector<KernelSpec> specs = candidatesOf(GetParam());
  ASSERT_GE(specs.size(), 10u);
  const auto compiled = compileKernels(specs, buildOptions());
  ASSERT_TRUE(compiled) << compiled.error().message;
  for (size_t i = 0; i < specs.size(); ++i) {
    SCOPED_TRACE(specs[i].name);
    const uint32_t blocks = specs[i].minBlocksPerSm, shared = compiled->kernels[i].staticSharedBytes;
    EXPECT_LE(compiled->kernels[i].registers * specs[i].threads * blocks, t4::kRegistersPerMultiprocessor);
    EXPECT_LE(shared * blocks, t4::kSharedBytesPerMultiprocessor);
    EXPECT_LE(shared, t4::kStaticSharedBytes);
  }
}

const std::vector<WeightLayout> kLayouts =
    nightly() ? std::vector{WeightLayout::kF32Rows, WeightLayout::kF16Rows, WeightLayout::kQ2_KPlanes,
                            WeightLayout::kQ4_KPlanes, WeightLayout::kNf4Planes}
              : std::vector{WeightLayout::kQ4_KPlanes};

INSTANTIATE_TEST_SUITE_P(Layouts, TileCandidates, testing::ValuesIn(kLayouts),
                         [](const auto& info) { return std::string(pack::layoutName(info.param)); });

} // namespace
} // namespace llcuda::codegen
