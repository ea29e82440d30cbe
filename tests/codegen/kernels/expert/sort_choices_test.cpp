// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/expert/sort_choices.cuh"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "codegen/formats/launch_work.h"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

struct Sorted {
  std::vector<int> choices, tileExperts;
  bool operator==(const Sorted&) const = default;
};

/// Written like the words: expert by expert, each one's choices in their order, filled up to whole tiles.
Sorted reference(const SortShape& shape, const std::vector<int>& experts, const std::vector<int>& positions) {
  Sorted wanted;
  for (int expert = 0; expert < shape.experts; ++expert) {
    for (int choice = 0; choice < shape.rows * shape.choices; ++choice)
      if (experts[choice] == expert && positions[choice / shape.choices] >= 0)
        wanted.choices.push_back(choice);
    while (wanted.choices.size() % shape.tileRows != 0) wanted.choices.push_back(-1);
    wanted.tileExperts.resize(wanted.choices.size() / shape.tileRows, expert);
  }
  wanted.choices.resize(size_t(shape.tiles) * shape.tileRows, -1);
  wanted.tileExperts.resize(shape.tiles, -1);
  return wanted;
}

template <SortShape kShape>
void expectSorted(const std::vector<int>& experts, const std::vector<int>& positions) {
  static_assert(kShape.tiles == mostExpertTiles(kShape.rows, kShape.experts, kShape.choices, kShape.tileRows));
  Sorted made = {std::vector<int>(size_t{kShape.tiles} * kShape.tileRows + 1, 77),
                 std::vector<int>(kShape.tiles + 1, 77)};
  hostsim::launch({.grid = 1, .block = 32 * kShape.warps}, [&] {
    sortChoices<kShape>(experts.data(), positions.data(), made.choices.data(), made.tileExperts.data());
  });
  EXPECT_EQ(made.choices.back(), 77); // nothing is written past the end
  EXPECT_EQ(made.tileExperts.back(), 77);
  made.choices.pop_back();
  made.tileExperts.pop_back();
  EXPECT_EQ(made, reference(kShape, experts, positions));
}

/// `choices` different experts for each row.
std::vector<int> randomExperts(const SortShape& shape) {
  std::mt19937 generator(3);
  std::vector<int> experts;
  for (int row = 0; row < shape.rows; ++row) {
    std::vector<int> all(shape.experts);
    for (int i = 0; i < shape.experts; ++i) all[i] = i;
    std::shuffle(all.begin(), all.end(), generator);
    experts.insert(experts.end(), all.begin(), all.begin() + shape.choices);
  }
  return experts;
}

std::vector<int> ascending(int count) {
  std::vector<int> numbers(count);
  for (int i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

template <SortShape kShape>
void expectSortedRandomly() {
  expectSorted<kShape>(randomExperts(kShape), ascending(kShape.rows));
}

// One warp and several, groups that end within a warp's run, fewer experts than lanes and more.
TEST(SortChoices, SortsByExpert) {
  expectSortedRandomly<SortShape{16, 8, 2, 16, 9, 1}>();
  expectSortedRandomly<SortShape{64, 8, 2, 16, 15, 4}>();
  expectSortedRandomly<SortShape{70, 40, 4, 32, 47, 3}>();
  expectSortedRandomly<SortShape{128, 128, 8, 64, 142, 32}>();
}

// Experts that nobody chose have no tile.
TEST(SortChoices, EmptyExperts) {
  expectSorted<SortShape{32, 8, 1, 16, 9, 1}>(std::vector<int>(32, 5), ascending(32));
  std::vector<int> experts(32, 7);
  experts[9] = 0;
  expectSorted<SortShape{32, 8, 1, 16, 9, 1}>(experts, ascending(32));
}

// As many tiles as there can be: each expert but one has a tile for one choice, and the one a choice too many.
TEST(SortChoices, FillsTheLastTile) {
  std::vector<int> experts;
  for (int expert = 0; expert < 4; ++expert) experts.push_back(expert);
  experts.resize(4 + 16, 2);
  expectSorted<SortShape{20, 4, 1, 16, 5, 1}>(experts, ascending(20));
}

// Padding chooses nobody, whatever its rows say; all of them may be padding.
TEST(SortChoices, LeavesPaddingOut) {
  constexpr SortShape kShape = {64, 8, 2, 16, 15, 2};
  std::vector<int> positions = ascending(64);
  for (const int row : {0, 17, 18, 62, 63}) positions[row] = -1;
  expectSorted<kShape>(randomExperts(kShape), positions);
  expectSorted<kShape>(randomExperts(kShape), std::vector<int>(64, -1));
}

} // namespace
} // namespace llcuda
