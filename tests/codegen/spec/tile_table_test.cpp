// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/tile_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/spec/check_tile.h"
#include "codegen/spec/tile_candidates.h"
#include "tests/codegen/linear_descs.h"

namespace llcuda::codegen {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr WeightLayout kLayout = WeightLayout::kQ4_KPlanes;

/// A tile as names of kernels show it.
std::string shown(const Members& members) {
  std::string text;
  for (const Member& member : members)
    if (!member.constant.shown.empty())
      text += (text.empty() ? "" : "_") + member.constant.shown;
  return "__" + text + "__";
}
std::string shown(const DecodeTile& tile) {
  return shown(tile.members());
}
std::string shown(const PromptTile& tile) {
  return shown(tile.members());
}

/// A table with `tile` for what `launch` was chosen from.
TileTable exceptionFor(const LaunchSpec& launch, DecodeTile tile) {
  return {"tiles.json", "a device", {{std::get<DecodeTileRequest>(launch.tileRequest), tile}}, {}};
}
TileTable exceptionFor(const LaunchSpec& launch, PromptTile tile) {
  return {"tiles.json", "a device", {}, {{std::get<PromptTileRequest>(launch.tileRequest), tile}}};
}

/// The kernel's template arguments, launch bounds and grid follow the table's tile.
void expectDecodeTile(const LaunchSpec& launch, const DecodeTile& tile, uint32_t outputs) {
  EXPECT_THAT(launch.kernel.name, HasSubstr(shown(tile)));
  EXPECT_EQ(launch.kernel.threads, tile.threads(std::get<DecodeTileRequest>(launch.tileRequest)));
  EXPECT_EQ(launch.kernel.minBlocksPerSm, tile.minBlocksPerSm);
  EXPECT_EQ(launch.grid.x, outputs / 32);
}

TEST(TileTable, DecodeLaunchesTakeTheirException) {
  const DecodeTile tile = {5, 2, 3};
  const auto expectTaken = [&](const LinearDesc& desc, uint32_t outputs) {
    ASSERT_THAT(linearLaunch(desc).kernel.name, Not(HasSubstr(shown(tile))));
    expectDecodeTile(linearLaunch(desc, exceptionFor(linearLaunch(desc), tile)), tile, outputs);
  };
  expectTaken(linearOf(kLayout, 1, 4096, 1024), 1024);
  expectTaken(linearOf(kLayout, 2, 4096, 1024, NormRows{}), 1024);
  expectTaken(gluOf(kLayout, 1, 4096, 1024), 1024);
  expectTaken(qkvOf(kLayout, kLayout, 1, 4096, 1024, 1024), 3 * 1024);
  expectTaken(qkvOf(kLayout, kLayout, 1, 4096, 1024, 1024, RopeCacheRows{.cache = {.maxContext = 64}}), 3 * 1024);
}

void expectPromptTile(const LaunchSpec& launch, const PromptTile& tile, uint32_t rows, uint32_t columns) {
  EXPECT_THAT(launch.kernel.name, HasSubstr(shown(tile)));
  EXPECT_EQ(launch.kernel.threads, tile.threads());
  EXPECT_EQ(launch.kernel.minBlocksPerSm, tile.minBlocksPerSm);
  EXPECT_EQ(launch.grid.x, divideUp(rows, tile.rows));
  EXPECT_EQ(launch.grid.y, divideUp(columns, tile.columns));
}

TEST(TileTable, PromptLaunchesTakeTheirException) {
  const PromptTile tile = {64, 128, 2, 2, 1, 1};
  const auto expectTaken = [&](LinearDesc desc, uint32_t columns) {
    desc.kernels = LinearKernels::kManyRows;
    ASSERT_THAT(linearLaunch(desc).kernel.name, Not(HasSubstr(shown(tile))));
    expectPromptTile(linearLaunch(desc, exceptionFor(linearLaunch(desc), tile)), tile, 512, columns);
  };
  expectTaken(linearOf(kLayout, 512, 4096, 1024), 1024);
  expectTaken(qkvOf(kLayout, kLayout, 512, 4096, 1024, 1024), 3 * 1024);
  expectTaken(gluOf(kLayout, 512, 4096, 1024), 2 * 1024);
}

// An exception is of one launch: one row more, other inputs or another layout has the formula's tile.
TEST(TileTable, OthersKeepTheFormulasTile) {
  const LinearDesc desc = linearOf(kLayout, 1, 4096, 1024);
  const TileTable tiles = exceptionFor(linearLaunch(desc), DecodeTile{5, 2, 3});
  for (const LinearDesc& other : {linearOf(kLayout, 2, 4096, 1024), linearOf(kLayout, 1, 2048, 1024),
                                  linearOf(WeightLayout::kQ6_KPlanes, 1, 4096, 1024)})
    EXPECT_EQ(linearLaunch(other, tiles).kernel.name, linearLaunch(other).kernel.name);

  const LinearDesc prompt = manyRows(linearOf(kLayout, 512, 4096, 1024));
  const TileTable promptTiles = exceptionFor(linearLaunch(prompt), PromptTile{64, 128, 2, 2, 1, 1});
  for (const LinearDesc& other :
       {manyRows(linearOf(kLayout, 128, 4096, 1024)), manyRows(linearOf(kLayout, 512, 2048, 1024))})
    EXPECT_EQ(linearLaunch(other, promptTiles).kernel.name, linearLaunch(other).kernel.name);
}

// What a user's file says counts before what is built in, entry by entry.
TEST(TileTable, LiesOverAnother) {
  const DecodeTileRequest first = {.columns = 32}, second = {.columns = 64};
  const TileTable user = {"user.json", "mine", {{first, {1, 1, 4}}}, {}};
  const TileTable base = {"", "", {{first, {1, 2, 4}}, {second, {1, 4, 4}}}, {}};
  const TileTable both = over(user, base);
  EXPECT_EQ(both.source, "user.json");
  EXPECT_EQ(chooseDecodeTile(first, both).ahead, 1u);
  EXPECT_EQ(chooseDecodeTile(second, both).ahead, 4u);
  EXPECT_EQ(both.decode.size(), 2u);
}

// Where minimums are added depends on the tile, so a prompt that is cut otherwise must meet the same one.
TEST(TileTable, AnyRowsOfAPromptAreCutAlike) {
  TileTable tiles;
  PromptTileRequest request = {.layouts = {kLayout}, .rows = 512, .inputs = 4096, .columns = 4096};
  ASSERT_NE(choosePromptTile(request, tiles), choosePromptTile({{kLayout}, 64, 4096, 4096}, tiles));
  tiles.anyRows = true;
  const PromptTile tile = choosePromptTile(request, tiles);
  EXPECT_EQ(tile.warpsDeep, 1u);
  for (const uint32_t rows : {64u, 100u, 128u, 2048u}) {
    request.rows = rows;
    EXPECT_EQ(choosePromptTile(request, tiles), tile) << rows;
  }
}

TEST(TileTable, BuiltInTilesPassTheCheck) {
  for (const auto& [request, tile] : builtInTiles().decode) EXPECT_TRUE(checkTile(request, tile));
  for (const auto& [request, tile] : builtInTiles().prompt) EXPECT_TRUE(checkTile(request, tile));
}

std::string refusalOf(const DecodeTileRequest& request, const DecodeTile& tile) {
  const Result<void> checked = checkTile(request, tile);
  return checked ? "" : checked.error().message;
}
std::string refusalOf(const PromptTileRequest& request, const PromptTile& tile) {
  const Result<void> checked = checkTile(request, tile);
  return checked ? "" : checked.error().message;
}

TEST(CheckTile, RefusesDecodeTiles) {
  const DecodeTileRequest plain = {.layout = kLayout, .columns = 4096, .outputs = 4096};
  EXPECT_EQ(refusalOf(plain, {8, 4, 2}), "");
  EXPECT_EQ(refusalOf(plain, {8, 3, 2}), "ahead is 3; it can be a power of two up to 8");
  EXPECT_THAT(refusalOf(plain, {8, 16, 2}), StartsWith("ahead is 16"));
  EXPECT_EQ(refusalOf(plain, {17, 4, 1}), "slices is 17; of 4096 inputs in q4_k_planes there can be 1 to 16");
  EXPECT_THAT(refusalOf(plain, {0, 4, 1}), StartsWith("slices is 0"));
  EXPECT_THAT(refusalOf(plain, {8, 4, 0}), StartsWith("min_blocks_per_sm is 0"));
  EXPECT_EQ(refusalOf(plain, {8, 4, 5}), "min_blocks_per_sm is 5; of blocks of 256 threads there can be 1 to 4");

  DecodeTileRequest many = plain, sums = plain, gated = plain;
  many.columns = 16384;
  EXPECT_EQ(refusalOf(many, {33, 4, 1}), "slices is 33; a block has at most 32 warps");
  sums.inputRows = 8, sums.columns = 8192;
  EXPECT_EQ(refusalOf(sums, {16, 4, 2}), "");
  EXPECT_THAT(refusalOf(sums, {32, 4, 2}), StartsWith("min_blocks_per_sm is 2; of blocks of 1024 threads"));
  sums.inputRows = 9;
  EXPECT_THAT(refusalOf(sums, {16, 4, 1}), StartsWith("a block makes 9 rows of 1 weights"));
  gated.weights = 2, gated.inputRows = 8, gated.columns = 14336;
  EXPECT_THAT(refusalOf(gated, {28, 4, 1}), StartsWith("a block has 1792 threads"));
  EXPECT_EQ(refusalOf(gated, {16, 4, 1}), "");
}

TEST(CheckTile, RefusesPromptTiles) {
  const PromptTileRequest plain = {.layouts = {kLayout}, .rows = 512, .inputs = 4096, .columns = 4096};
  PromptTileRequest gated = plain, half = plain, floats = plain;
  gated.gated = true;
  half.layouts = {WeightLayout::kF16Rows};
  floats.layouts = {WeightLayout::kF32Rows};
  EXPECT_EQ(refusalOf(plain, {64, 64, 2, 2, 1, 2}), "");
  EXPECT_EQ(refusalOf(plain, {96, 64, 2, 2, 1, 2}), "");
  EXPECT_THAT(refusalOf(plain, {48, 64, 2, 2, 1, 2}),
              StartsWith("rows is 48; it can be a multiple of 16 for each of 2"));
  EXPECT_THAT(refusalOf(plain, {320, 64, 4, 2, 1, 2}), StartsWith("rows is 320"));
  EXPECT_THAT(refusalOf(plain, {64, 48, 2, 2, 1, 2}), StartsWith("columns is 48"));
  EXPECT_THAT(refusalOf(plain, {64, 64, 3, 2, 1, 2}), StartsWith("warps_down is 3"));
  EXPECT_THAT(refusalOf(plain, {64, 64, 2, 2, 3, 2}), StartsWith("warps_deep is 3"));
  EXPECT_THAT(refusalOf(plain, {256, 256, 16, 8, 1, 1}), StartsWith("a block has 4096 threads"));
  EXPECT_THAT(refusalOf(plain, {64, 64, 2, 2, 1, 9}), StartsWith("min_blocks_per_sm is 9"));
  EXPECT_THAT(refusalOf(plain, {16, 64, 2, 2, 1, 1}),
              StartsWith("rows is 16; it can be a multiple of 16 for each of 2"));
  EXPECT_THAT(refusalOf(plain, {32, 32, 2, 2, 1, 1}), StartsWith("a warp makes 16 rows and 16 columns"));
  EXPECT_THAT(refusalOf(plain, {256, 128, 2, 1, 1, 1}), HasSubstr("sums; it can have 128"));
  EXPECT_THAT(refusalOf(plain, {128, 128, 2, 2, 2, 1}), StartsWith("the tile needs 65536 bytes of shared memory"));
  EXPECT_EQ(refusalOf(half, {128, 128, 2, 4, 1, 2}), "");
  EXPECT_THAT(refusalOf(half, {64, 32, 1, 1, 4, 3}), StartsWith("min_blocks_per_sm is 3; with 24576 bytes"));
  EXPECT_EQ(refusalOf(gated, {128, 128, 2, 4, 1, 2}), "") << "64 rows of it at a time";
  EXPECT_THAT(refusalOf(gated, {48, 256, 1, 8, 1, 3}), StartsWith("min_blocks_per_sm is 3; with 26112 bytes"));
  EXPECT_THAT(refusalOf(gated, {32, 32, 1, 1, 4, 1}), StartsWith("columns is 32; a tile of gate and up"));
  EXPECT_THAT(refusalOf(floats, {64, 64, 2, 2, 1, 1}), StartsWith("a tile of f32 weights"));
  EXPECT_EQ(refusalOf(floats, {64, 32, 4, 1, 1, 2}), "");
}

/// Requests of real models and odd ones.
std::vector<DecodeTileRequest> decodeRequests() {
  std::vector<DecodeTileRequest> list;
  for (unsigned layout = 0; layout < kWeightLayouts; ++layout)
    for (uint32_t inputRows : {1u, 2u, 5u, 8u})
      for (uint32_t outputs : {2u, 37u, 576u, 49152u})
        for (uint32_t weights : {1u, 2u})
          list.push_back({static_cast<WeightLayout>(layout), inputRows, 4096, outputs, weights});
  return list;
}

std::vector<PromptTileRequest> promptRequests() {
  std::vector<PromptTileRequest> list;
  for (unsigned layout = 0; layout < kWeightLayouts; ++layout)
    for (uint32_t rows : {9u, 16u, 32u, 40u, 64u, 80u, 128u, 512u})
      for (uint32_t columns : {64u, 1024u, 28672u})
        for (bool gated : {false, true}) {
          const auto own = static_cast<WeightLayout>(layout);
          if (own == WeightLayout::kF32Rows && gated)
            continue;
          list.push_back({{own}, rows, 4096, columns, gated});
          if (own != WeightLayout::kF32Rows && !gated)
            list.push_back({{own, own, WeightLayout::kQ6_KPlanes}, rows, 4096, columns, gated});
        }
  return list;
}

// A check that refused what the formulas choose would be of another kernel.
TEST(CheckTile, TheFormulasTilesPass) {
  for (const DecodeTileRequest& request : decodeRequests())
    EXPECT_EQ(refusalOf(request, chooseDecodeTile(request)), "")
        << static_cast<int>(request.layout) << " " << request.outputs << " " << shown(chooseDecodeTile(request));
  for (const PromptTileRequest& request : promptRequests())
    EXPECT_EQ(refusalOf(request, choosePromptTile(request)), "")
        << static_cast<int>(request.layouts[0]) << " " << request.rows << " " << shown(choosePromptTile(request));
}

/// Every candidate passes, is another tile, and comes once; there are some where there is a choice.
template <typename Request, typename Tile>
void expectCandidates(const Request& request, const Tile& tile, const std::vector<Tile>& candidates) {
  for (size_t i = 0; i < candidates.size(); ++i) {
    EXPECT_EQ(refusalOf(request, candidates[i]), "");
    EXPECT_FALSE(candidates[i] == tile);
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(candidates[i] == candidates[j]);
  }
}

TEST(TileCandidates, AreOtherTilesThatPass) {
  for (const DecodeTileRequest& request : decodeRequests()) {
    const DecodeTile tile = chooseDecodeTile(request);
    expectCandidates(request, tile, otherShapes(request, tile));
    expectCandidates(request, tile, otherOccupancies(request, tile));
    EXPECT_FALSE(otherShapes(request, tile).empty());
    EXPECT_FALSE(otherOccupancies(request, tile).empty());
  }
  for (const PromptTileRequest& request : promptRequests()) {
    const PromptTile tile = choosePromptTile(request);
    expectCandidates(request, tile, otherShapes(request, tile));
    expectCandidates(request, tile, otherOccupancies(request, tile));
    EXPECT_FALSE(otherShapes(request, tile).empty());
  }
}

} // namespace
} // namespace llcuda::codegen
