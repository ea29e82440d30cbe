// SPDX-License-Identifier: Apache-2.0
// The tree without a device: pages of four tokens, and a store that knows what a page holds.
#include "runtime/serving/prefix_tree.h"

#include <map>
#include <random>

#include <gmock/gmock.h>

#include "tests/nightly.h"

namespace llcuda::serving {
namespace {

constexpr uint32_t kPageTokens = 4;
using Tokens = std::vector<int32_t>;

/// What pages of the device and blocks of the host hold, each named by all tokens up to its end.
class FakeStore final : public PageStore {
public:
  explicit FakeStore(uint32_t room) : room(room) {}

  Result<std::optional<HostPages::Block>> save(std::size_t group, int32_t page) override {
    if (blocks.size() >= room)
      return std::optional<HostPages::Block>();
    const HostPages::Block block = {0, next++};
    blocks[block.index] = device.at({group, page});
    return std::optional(block);
  }
  Result<void> load(std::size_t group, HostPages::Block block, int32_t page) override {
    if (breaks)
      return internalError("the device is gone");
    device[{group, page}] = blocks.at(block.index);
    return {};
  }
  void discard(HostPages::Block block) override { EXPECT_EQ(blocks.erase(block.index), 1u); }

  uint32_t room, next = 0;
  bool breaks = false;
  std::map<std::pair<std::size_t, int32_t>, Tokens> device;
  std::map<uint32_t, Tokens> blocks;
};

/// Slots that compute sequences as a scheduler has them do, and check what they begin with.
class Slots {
public:
  /// `windows`: of each group.
  Slots(const std::vector<uint32_t>& windows, uint32_t slots, uint32_t pages, uint32_t hostBlocks)
      : store(hostBlocks), sequences(slots) {
    for (const uint32_t window : windows)
      tables.push_back(std::make_unique<PageTable>(PageTableShape{.slots = slots,
                                                                  .maxPages = 32,
                                                                  .pageTokens = kPageTokens,
                                                                  .window = window,
                                                                  .slotPages = 32, // whole sequences at once
                                                                  .poolPages = pages}));
    std::vector<PrefixTree::Group> groups;
    for (auto& table : tables) groups.push_back({table.get(), &table->pool()});
    tree = std::make_unique<PrefixTree>(kPageTokens, groups, store);
  }
  ~Slots() { tree.reset(); } // before tables

  struct Sequence {
    bool isUsed = false;
    Tokens tokens;
    uint32_t computed = 0;
    PrefixTree::Path path;
  };

  /// Begins a sequence in a slot; how many of its positions were there.
  uint32_t begin(uint32_t slot, Tokens tokens, uint64_t salt = 0) {
    Sequence& sequence = sequences[slot];
    sequence = {true, std::move(tokens), 0, {}};
    const PrefixTree::Hit hit = tree->find(salt, std::span(sequence.tokens).first(sequence.tokens.size() - 1));
    PrefixTree::Beginnings pages;
    auto path = tree->begin(salt, hit, pages);
    EXPECT_TRUE(path.ok());
    sequence.path = std::move(*path);
    sequence.computed = sequence.path.pages() * kPageTokens;
    for (std::size_t group = 0; group < tables.size() && sequence.computed != 0; ++group)
      tables[group]->begin(slot, pages[group].first, pages[group].pages);
    tree->announce(sequence.path, sequence.tokens, slot + 1);
    expectRight(slot);
    return sequence.computed;
  }
  /// Computes up to `end` positions.
  void compute(uint32_t slot, uint32_t end) {
    Sequence& sequence = sequences[slot];
    for (std::size_t group = 0; group < tables.size(); ++group) {
      tables[group]->trim(slot, sequence.computed, end);
      const uint32_t missing = tables[group]->missing(slot, sequence.computed, end);
      EXPECT_TRUE(tree->makeFree(group, missing).ok());
      EXPECT_GE(tables[group]->pool().freeCount(), missing);
      tables[group]->reserve(slot, sequence.computed, end);
    }
    for (uint32_t page = sequence.computed / kPageTokens; page * kPageTokens < end; ++page)
      for (std::size_t group = 0; group < tables.size(); ++group)
        if (const int32_t number = tables[group]->row(slot)[page]; number >= 0)
          store.device[{group, number}] =
              Tokens(sequence.tokens.begin(), sequence.tokens.begin() + std::min(end, (page + 1) * kPageTokens));
    sequence.computed = end;
    expectRight(slot);
    while (sequence.path.isInTree() && (sequence.path.pages() + 1) * kPageTokens <= end)
      tree->extend(sequence.path, std::span(sequence.tokens).subspan(sequence.path.pages() * kPageTokens, kPageTokens),
                   slot);
  }
  void end(uint32_t slot) {
    tree->keepWindow(sequences[slot].path, slot, sequences[slot].path.pages());
    tree->leave(sequences[slot].path);
    for (auto& table : tables) table->truncate(slot, 0);
    sequences[slot] = {};
  }
  /// Everything that the next row sees is of its own sequence.
  void expectRight(uint32_t slot) {
    const Sequence& sequence = sequences[slot];
    for (std::size_t group = 0; group < tables.size(); ++group)
      for (uint32_t page = tables[group]->firstSeen(sequence.computed); page * kPageTokens < sequence.computed;
           ++page) {
        const int32_t number = tables[group]->row(slot)[page];
        ASSERT_GE(number, 0) << "page " << page << " of group " << group;
        const Tokens& there = store.device[std::pair(group, number)];
        const uint32_t end = std::min(sequence.computed, (page + 1) * kPageTokens);
        ASSERT_EQ(there, Tokens(sequence.tokens.begin(), sequence.tokens.begin() + end));
      }
  }
  uint32_t run(uint32_t slot, const Tokens& tokens, uint64_t salt = 0) {
    const uint32_t cached = begin(slot, tokens, salt);
    compute(slot, static_cast<uint32_t>(tokens.size()));
    end(slot);
    return cached;
  }
  void expectSound() { ASSERT_EQ(tree->faults(), ""); }

  FakeStore store;
  std::vector<std::unique_ptr<PageTable>> tables;
  std::unique_ptr<PrefixTree> tree;
  std::vector<Sequence> sequences;
};

Tokens counted(int32_t first, uint32_t count) {
  Tokens tokens(count);
  for (uint32_t i = 0; i < count; ++i) tokens[i] = first + static_cast<int32_t>(i);
  return tokens;
}
Tokens joined(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Whole pages, and a token at least is left to be computed.
TEST(PrefixTree, WholePagesOfWhatWasComputed) {
  Slots slots({0}, 1, 16, 0);
  EXPECT_EQ(slots.run(0, counted(1, 10)), 0u);
  EXPECT_EQ(slots.run(0, counted(1, 10)), 8u);
  EXPECT_EQ(slots.run(0, counted(1, 8)), 4u);
  EXPECT_EQ(slots.run(0, joined(counted(1, 6), {99, 98, 97, 96})), 4u);
  EXPECT_EQ(slots.run(0, joined(counted(1, 6), {99, 98, 97, 96})), 8u);
  EXPECT_EQ(slots.run(0, counted(2, 10)), 0u);
  slots.expectSound();
  EXPECT_EQ(slots.tree->nodeCount(), 5u);
}

TEST(PrefixTree, SaltsShareNothing) {
  Slots slots({0}, 1, 16, 0);
  EXPECT_EQ(slots.run(0, counted(1, 10), 1), 0u);
  EXPECT_EQ(slots.run(0, counted(1, 10), 2), 0u);
  EXPECT_EQ(slots.run(0, counted(1, 10), 1), 8u);
}

// Two that have the same beginning hold the same pages, and the second one's own begin behind them.
TEST(PrefixTree, RunningSequencesShare) {
  Slots slots({0}, 2, 8, 0);
  slots.begin(0, counted(1, 12));
  slots.compute(0, 12);
  EXPECT_EQ(slots.begin(1, joined(counted(1, 8), {50, 51, 52})), 8u);
  slots.compute(1, 11);
  EXPECT_EQ(slots.tables[0]->pool().freeCount(), 4u);
  EXPECT_EQ(slots.tables[0]->row(0)[1], slots.tables[0]->row(1)[1]);
  slots.end(0);
  EXPECT_EQ(slots.tables[0]->pool().idleCount(), 1u); // the third page of the first
  slots.end(1);
  EXPECT_EQ(slots.tables[0]->pool().idleCount(), 3u);
  EXPECT_EQ(slots.tables[0]->pool().freeCount(), 5u);
  slots.expectSound();
}

// What one is about to compute is known to others: who, and how far it is the same.
TEST(PrefixTree, AnnouncedPages) {
  Slots slots({0}, 2, 16, 0);
  slots.begin(0, counted(1, 14));
  const Tokens other = joined(counted(1, 9), {70, 71, 72, 73});
  PrefixTree::Hit hit = slots.tree->find(0, other);
  EXPECT_EQ(hit.nodes.size(), 0u);
  EXPECT_EQ(hit.computedBy, 1u);
  EXPECT_EQ(hit.computedPages, 2u);
  slots.compute(0, 5);
  hit = slots.tree->find(0, other);
  EXPECT_EQ(hit.nodes.size(), 1u);
  EXPECT_EQ(hit.usedPages, 1u);
  EXPECT_EQ(hit.computedPages, 2u);
  slots.end(0); // it is not computed after all
  hit = slots.tree->find(0, other);
  EXPECT_EQ(hit.nodes.size(), 1u);
  EXPECT_EQ(hit.computedBy, 0u);
  EXPECT_EQ(slots.tree->nodeCount(), 1u);
  slots.expectSound();
}

// Who computes what somebody else has announced keeps it to himself.
TEST(PrefixTree, WhoDoesNotWaitLeavesNothing) {
  Slots slots({0}, 2, 16, 0);
  slots.begin(0, counted(1, 12));
  slots.begin(1, counted(1, 12));
  slots.compute(1, 12);
  EXPECT_FALSE(slots.sequences[1].path.isInTree());
  slots.compute(0, 12);
  EXPECT_TRUE(slots.sequences[0].path.isInTree());
  slots.end(1);
  slots.end(0);
  EXPECT_EQ(slots.tables[0]->pool().idleCount(), 3u);
  slots.expectSound();
}

// Leaves of what was used longest ago go first, and nothing that somebody uses does.
TEST(PrefixTree, LeastRecentlyUsedLeavesGoFirst) {
  Slots slots({0}, 2, 8, 0);
  slots.run(0, counted(1, 9));   // two pages
  slots.run(0, counted(100, 9)); // two more
  EXPECT_EQ(slots.run(0, counted(1, 9)), 8u);
  slots.begin(1, counted(200, 25));
  slots.compute(1, 24); // six of the eight: the end of the oldest goes first, then its beginning
  slots.expectSound();
  EXPECT_EQ(slots.tree->find(0, counted(100, 9)).nodes.size(), 0u);
  EXPECT_EQ(slots.tree->find(0, counted(1, 9)).nodes.size(), 2u);
  slots.compute(1, 25);
  EXPECT_EQ(slots.tree->find(0, counted(1, 9)).nodes.size(), 1u);
  slots.end(1);
}

// What is given up is in host memory, and comes back as it was; there too the oldest leaves go first.
TEST(PrefixTree, ComesBackFromHostMemory) {
  Slots slots({0}, 1, 4, 3);
  slots.run(0, counted(1, 9));
  slots.run(0, counted(100, 13)); // takes all four pages
  EXPECT_EQ(slots.tree->hostPages(), 2u);
  EXPECT_EQ(slots.store.blocks.size(), 2u);
  EXPECT_EQ(slots.run(0, counted(1, 9)), 8u); // what it comes back to is checked by its tokens
  EXPECT_EQ(slots.run(0, counted(100, 13)), 12u);
  slots.run(0, counted(200, 16));
  slots.expectSound();
  EXPECT_LE(slots.store.blocks.size(), 3u);
}

// Where the host has no room what is given up is gone, with all that stood behind it.
TEST(PrefixTree, WithoutHostMemory) {
  Slots slots({0}, 1, 4, 0);
  slots.run(0, counted(1, 9));
  slots.run(0, counted(100, 16));
  EXPECT_EQ(slots.tree->find(0, counted(1, 9)).nodes.size(), 0u);
  EXPECT_EQ(slots.tree->nodeCount(), 4u);
  slots.expectSound();
}

TEST(PrefixTree, AFaultOfTheDevice) {
  Slots slots({0}, 1, 4, 4);
  slots.run(0, counted(1, 9));
  slots.run(0, counted(100, 16));
  slots.store.breaks = true;
  PrefixTree::Beginnings pages;
  const auto path = slots.tree->begin(0, slots.tree->find(0, counted(1, 9)), pages);
  ASSERT_FALSE(path.ok());
  EXPECT_EQ(path.error().code, ErrorCode::kInternal);
  slots.expectSound();
  EXPECT_EQ(slots.tables[0]->pool().availableCount(), 4u);
}

// A sequence begins where the tree has what a window sees: at the end of another, not in its middle.
TEST(PrefixTree, WindowsBeginAtAnchors) {
  Slots slots({0, 6}, 2, 16, 0);
  slots.run(0, counted(1, 33));
  EXPECT_EQ(slots.begin(0, counted(1, 33)), 32u);
  EXPECT_EQ(slots.tree->find(0, counted(1, 20)).nodes.size(), 0u);
  slots.compute(0, 33);
  slots.end(0);
  slots.begin(0, counted(200, 33));
  for (uint32_t end = 1; end <= 20; ++end) {
    slots.compute(0, end);
    if (end == 16)
      slots.tree->keepWindow(slots.sequences[0].path, 0, 4);
  }
  EXPECT_EQ(slots.begin(1, joined(counted(200, 18), {1, 2, 3})), 16u);
  slots.compute(0, 33);
  slots.compute(1, 21);
  slots.end(0);
  slots.end(1);
  slots.expectSound();
}

// Layers with windows alone: a node of which nothing is left goes.
TEST(PrefixTree, NothingButWindows) {
  Slots slots({6}, 1, 6, 0);
  slots.run(0, counted(1, 17));
  EXPECT_EQ(slots.run(0, counted(1, 17)), 16u);
  slots.expectSound();
  slots.run(0, counted(200, 24));
  slots.run(0, counted(300, 24));
  slots.expectSound();
  EXPECT_LE(slots.tree->nodeCount(), 12u);
}

// What is not to be trusted is not begun with, and whoever stands there goes on without the tree.
TEST(PrefixTree, Distrusted) {
  Slots slots({0}, 2, 16, 4);
  slots.run(0, counted(1, 17));
  slots.begin(0, counted(1, 21));
  slots.tree->distrust(0, counted(1, 8));
  slots.expectSound();
  EXPECT_EQ(slots.tree->nodeCount(), 0u);
  EXPECT_FALSE(slots.sequences[0].path.isInTree());
  slots.compute(0, 21);
  slots.end(0);
  EXPECT_EQ(slots.tables[0]->pool().freeCount(), 16u);
  EXPECT_EQ(slots.run(1, counted(1, 17)), 0u);
}

// Whoever comes and goes: every row sees its own sequence's pages alone, every page is somebody's or free, and all that
// nobody uses can be had.
TEST(PrefixTree, Whatever) {
  for (const std::vector<uint32_t>& windows : {std::vector<uint32_t>{0}, {0, 6}, {9}, {0, 5, 13}})
    for (const uint32_t room : {0u, 5u, 200u}) {
      Slots slots(windows, 5, 40, room);
      std::mt19937 random(11);
      uint32_t hits = 0;
      const int steps = nightly() ? 20000 : 2000;
      for (int step = 0; step < steps; ++step) {
        const uint32_t slot = random() % 5;
        Slots::Sequence& sequence = slots.sequences[slot];
        uint32_t used = 0; // pages that the slots may need at the most
        for (const Slots::Sequence& other : slots.sequences)
          used += other.isUsed ? (static_cast<uint32_t>(other.tokens.size()) + 3) / 4 : 0;
        if (!sequence.isUsed) {
          Tokens tokens;
          for (uint32_t part = 1 + random() % 4; part > 0; --part) // of a few beginnings
            tokens = joined(tokens, counted(static_cast<int32_t>(100 * (random() % 3)), 1 + random() % 7));
          if (used + (tokens.size() + 3) / 4 > 40)
            continue;
          hits += slots.begin(slot, tokens, random() % 8 == 0) != 0;
        } else if (random() % 16 == 0) {
          slots.tree->distrust(0, sequence.tokens);
        } else if (sequence.computed == sequence.tokens.size() || random() % 6 == 0) {
          slots.end(slot);
        } else {
          const auto left = static_cast<uint32_t>(sequence.tokens.size()) - sequence.computed;
          slots.compute(slot, sequence.computed + 1 + random() % left);
          if (random() % 2 == 0)
            slots.tree->keepWindow(sequence.path, slot, sequence.path.pages());
        }
        slots.expectSound();
        if (testing::Test::HasFailure())
          return;
      }
      EXPECT_GT(hits, static_cast<uint32_t>(steps) / 50);
      for (uint32_t slot = 0; slot < 5; ++slot)
        if (slots.sequences[slot].isUsed)
          slots.end(slot);
      slots.expectSound();
      for (std::size_t group = 0; group < windows.size(); ++group) {
        EXPECT_EQ(slots.tables[group]->pool().availableCount(), 40u);
        ASSERT_TRUE(slots.tree->makeFree(group, 40).ok());
        EXPECT_EQ(slots.tables[group]->pool().freeCount(), 40u);
      }
      slots.expectSound();
      EXPECT_EQ(slots.store.blocks.size(), slots.tree->hostPages());
    }
}

} // namespace
} // namespace llcuda::serving
