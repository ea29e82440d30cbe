// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/elementwise/apply_edits.cuh"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

/// Four rows, two tables of four entries, three outputs.
struct Rows {
  std::vector<int> tokens{10, 11, 12, 13}, positions{100, 101, -1, 103}, slots{0, 1, 0, 3}, sampled{70, 71, -1};
  std::vector<SamplingParams> sampling = std::vector<SamplingParams>(4);
  std::vector<int> tables[2] = {{-1, -1, -1, -1}, {5, 6, 7, 8}};

  void apply(const std::vector<RowEdit>& rows, const std::vector<PageEdit>& pages) {
    const EditsHeader header = {static_cast<uint32_t>(rows.size()), static_cast<uint32_t>(pages.size())};
    std::vector<uint64_t> words(editsBytes(4) / 8 + 1);
    auto* to = reinterpret_cast<uint8_t*>(words.data());
    std::memcpy(to, &header, sizeof(header));
    to += sizeof(header);
    if (!rows.empty())
      std::memcpy(to, rows.data(), rows.size() * sizeof(RowEdit));
    to += rows.size() * sizeof(RowEdit);
    if (!pages.empty())
      std::memcpy(to, pages.data(), pages.size() * sizeof(PageEdit));
    hostsim::launch({.grid = {1}, .block = kEditThreads}, [&] {
      applyEdits<EditShape{.tables = 2}>(reinterpret_cast<const uint8_t*>(words.data()),
                                         {tokens.data(), positions.data(), slots.data(), sampling.data()},
                                         sampled.data(), {{tables[0].data(), tables[1].data()}});
    });
  }
};

RowEdit edit(int row, RowSource from, int source, int position, int slot, uint32_t hold = 0) {
  return {row, from, source, position, slot, 0, {0, 44, hold, 0, 0}};
}

// Two rows change places: each source is read before any row is written.
TEST(ApplyEdits, RowsChangePlaces) {
  Rows rows;
  rows.sampling[3].seed = 9, rows.sampling[3].hold = 1, rows.sampling[3].step = 103;
  rows.apply({edit(0, RowSource::kRow, 3, 0, 0), edit(3, RowSource::kRow, 0, 0, 0, 1)}, {});
  EXPECT_EQ(rows.tokens, (std::vector{13, 11, 12, 10}));
  EXPECT_EQ(rows.positions, (std::vector{103, 101, -1, 100}));
  EXPECT_EQ(rows.slots, (std::vector{3, 1, 0, 0}));
  EXPECT_EQ(rows.sampling[0].seed, 9u);
  EXPECT_EQ(rows.sampling[0].step, 103u);
  EXPECT_EQ(rows.sampling[0].hold, 0u);
  EXPECT_EQ(rows.sampling[3].hold, 1u);
}

// A token from the host, one from an output, one from an output that has none; a row that leaves.
TEST(ApplyEdits, JoinAndLeave) {
  Rows rows;
  rows.apply({edit(0, RowSource::kToken, 55, 7, 2), edit(1, RowSource::kOutput, 1, 8, 3),
              edit(2, RowSource::kOutput, 2, 9, 1), edit(3, RowSource::kToken, 0, -1, 0)},
             {});
  EXPECT_EQ(rows.tokens, (std::vector{55, 71, 0, 0}));
  EXPECT_EQ(rows.positions, (std::vector{7, 8, -1, -1}));
  EXPECT_EQ(rows.slots, (std::vector{2, 3, 0, 0}));
  EXPECT_EQ(rows.sampling[1].step, 44u);
}

// More entries than threads.
TEST(ApplyEdits, Pages) {
  Rows rows;
  rows.tables[1].resize(200, 3);
  std::vector<PageEdit> pages = {{0, 2, 9}};
  for (int i = 0; i < 150; ++i) pages.push_back({1, 200 - 1 - i, i});
  rows.apply({}, pages);
  EXPECT_EQ(rows.tables[0], (std::vector{-1, -1, 9, -1}));
  EXPECT_EQ(rows.tables[1][50], 149);
  EXPECT_EQ(rows.tables[1][199], 0);
  EXPECT_EQ(rows.tables[1][49], 3);
  EXPECT_EQ(rows.tokens, (std::vector{10, 11, 12, 13}));
}

} // namespace
} // namespace llcuda
