// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/tile_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace llcuda::pipeline {
namespace {

using codegen::TileTable;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TileTable example() {
  TileTable table = {"tiles.json", "Tesla T4", {}, {}};
  table.decode.push_back({{WeightLayout::kQ4_KPlanes, 2, 4096, 14336, 2}, {8, 2, 2}});
  table.decode.push_back({{WeightLayout::kF16Rows, 1, 576, 960, 1}, {9, 2, 3}});
  table.prompt.push_back(
      {{{WeightLayout::kQ4_KPlanes, WeightLayout::kQ4_KPlanes, WeightLayout::kQ6_KPlanes}, 512, 4096, 6144, false},
       {64, 64, 2, 2, 1, 2}});
  table.prompt.push_back({{{WeightLayout::kQ8_0Planes}, 16, 4096, 28672, true}, {16, 64, 1, 2, 4, 1}});
  return table;
}

TEST(TileFile, WhatIsWrittenIsRead) {
  const auto read = parseTiles(tilesJson(example()), "/folder/tiles.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example());
}

TEST(TileFile, AnEmptyTableIsRead) {
  const TileTable empty = {"none.json", "", {}, {}};
  const auto read = parseTiles(tilesJson(empty), "none.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, empty);
}

/// One line that starts with the file and ends with what to do.
void expectRefused(const std::string& text, const std::string& message) {
  const auto read = parseTiles(text, "t.json");
  ASSERT_FALSE(read) << text;
  EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(read.error().message, AllOf(StartsWith("t.json: "), HasSubstr(message),
                                          EndsWith("; write the table again with llcuda-tune"), Not(HasSubstr("\n"))));
}

void expectRefused(const char* pointer, const json& value, const std::string& message) {
  json root = json::parse(tilesJson(example()));
  root[json::json_pointer(pointer)] = value;
  expectRefused(root.dump(), message);
}

TEST(TileFile, RefusesOtherFiles) {
  expectRefused("", "is not JSON");
  expectRefused("{", "is not JSON");
  expectRefused("[]", "is no table of tiles of version 2");
  expectRefused("7", "is no table of tiles of version 2");
  expectRefused("{}", "is no table of tiles of version 2");
  expectRefused(std::string(100, '['), "is nested deeper than 8");
  expectRefused(R"({"llcuda_tiles": 1, "llcuda_tiles": 1})", "comes twice");
  expectRefused("/llcuda_tiles", 1, "is no table of tiles of version 2");
  expectRefused("/device", 7, "device is no text");
  expectRefused("/device", std::string(300, 'x'), "device is no text of at most 256 bytes");
  expectRefused("/more", 7, "has 5 members, not 4");
  expectRefused("/decode", 7, "has no list decode");
}

// Whatever an entry says must be a number that a kernel may have, or it would become part of a kernel's source.
TEST(TileFile, RefusesEntries) {
  expectRefused("/decode/0", 7, "decode[0]: is no object");
  expectRefused("/decode/1/more", 7, "decode[1]: has 7 members, not 6");
  expectRefused("/decode/0/columns", "4096", "decode[0]: columns is no number of 1 to 16777216");
  expectRefused("/decode/0/columns", -1, "decode[0]: columns is no number");
  expectRefused("/decode/0/columns", 1.5, "decode[0]: columns is no number");
  expectRefused("/decode/0/weights", 0, "decode[0]: weights is no number");
  expectRefused("/decode/0/outputs", uint64_t{1} << 32, "decode[0]: outputs is no number");
  expectRefused("/decode/0/layout", "q4_x_planes", "decode[0]: there is no layout 'q4_x_planes'");
  expectRefused("/decode/0/layout", "a\nb", "decode[0]: there is no layout 'a?b'");
  expectRefused("/decode/0/layout", 4, "decode[0]: a layout is no text");
  expectRefused("/decode/0/tile", json::array(), "decode[0]: is no object");
  expectRefused("/decode/0/tile/ahead", 12, "decode[0]: ahead is 12; it can be a power of two up to 8");
  expectRefused("/decode/0/tile/slices", 1u << 24, "decode[0]: slices is 16777216");
  expectRefused("/decode/0/weights", 3, "decode[0]: a block makes 2 rows of 3 weights");
  expectRefused("/decode/1/tile/min_blocks_per_sm", 9, "decode[1]: min_blocks_per_sm is 9");
  expectRefused("/prompt/0/gated", 1, "prompt[0]: gated is neither true nor false");
  expectRefused("/prompt/0/layouts", json::array(), "prompt[0]: layouts is no list of one to three");
  expectRefused("/prompt/0/layouts/1", "", "prompt[0]: there is no layout ''");
  expectRefused("/prompt/0/tile/columns", 48, "prompt[0]: columns is 48");
  expectRefused("/prompt/1/tile/warps_deep", 3, "prompt[1]: warps_deep is 3");
}

TEST(TileFile, RefusesMissingMembersAndSecondEntries) {
  for (const char* pointer :
       {"/decode/0/outputs", "/decode/0/layout", "/decode/0/tile", "/prompt/0/gated", "/prompt/0/tile/rows"}) {
    json root = json::parse(tilesJson(example()));
    const json::json_pointer path(pointer);
    root[path.parent_pointer()].erase(path.back());
    expectRefused(root.dump(), "members, not");
    root[path.parent_pointer()]["other"] = 1;
    expectRefused(root.dump(), "]: ");
  }
  json root = json::parse(tilesJson(example()));
  root["decode"].push_back(root["decode"][1]);
  expectRefused(root.dump(), "decode[2]: is of the same launch as entry 1");
}

TEST(TileFile, TheNoteCountsWhatIsUsed) {
  const TileTable table = example();
  const codegen::TileRequests requests = {{"a", table.decode[0].request},
                                          {"b", table.decode[0].request},
                                          {"c", table.prompt[1].request},
                                          {"d", codegen::DecodeTileRequest{}}};
  EXPECT_EQ(tilesNote(table, requests), "tiles of tiles.json, measured on 'Tesla T4': 2 of 4 used");
}

} // namespace
} // namespace llcuda::pipeline
