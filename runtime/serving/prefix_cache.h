// SPDX-License-Identifier: Apache-2.0
// What a session keeps of sequences that have ended or made room: prefixes in its pools, and behind them host memory.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>

#include "runtime/exec/session.h"
#include "runtime/serving/prefix_tree.h"

namespace llcuda::serving {

/// What one request has to do with the tree.
struct Prefix {
  bool isUsed = false; ///< false: it neither takes nor leaves anything
  uint64_t salt = 0;
  uint32_t mostPages = UINT32_MAX; ///< of its beginning that others may have
  PrefixTree::Path path;
  std::set<uint32_t> anchors; ///< numbers of pages behind which others are to begin
};

/// The session outlives it and is used by one thread; copies may be on their way when it goes.
class PrefixCache final : private PageStore {
public:
  /// Positions between places of a sequence where others can begin although layers have a window.
  static constexpr uint32_t kAnchorTokens = 1024;

  /// `hostBytes`: of pages and paused sequences together.
  PrefixCache(Session& session, uint64_t hostBytes);

  /// Whether sequences can begin with pages of others: not where they have recurrent states.
  bool isPossible() const { return !session.slots().hasState(); }

  PrefixTree::Hit find(const Prefix& prefix, std::span<const int32_t> tokens) const;
  /// Makes an empty slot begin with a hit: how many positions that are. `owner` computes what is left of `tokens`.
  Result<uint32_t> begin(Prefix& prefix, const PrefixTree::Hit& hit, uint32_t slot, std::span<const int32_t> tokens,
                         uint64_t owner);
  /// The slot, of which nothing was given to the tree, holds its first `positions` positions again.
  Result<void> comeBack(Prefix& prefix, uint32_t slot, std::span<const int32_t> tokens, uint32_t positions);
  /// The first `positions` of the slot are queued.
  void advance(Prefix& prefix, uint32_t slot, std::span<const int32_t> tokens, uint32_t positions);
  /// The slot gives up what it holds.
  void leave(Prefix& prefix, uint32_t slot);
  void distrust(const Prefix& prefix, std::span<const int32_t> tokens) { tree.distrust(prefix.salt, tokens); }

  /// Positions that a slot is about to compute.
  struct Wanted {
    uint32_t slot, first, end;
  };
  /// Gives up pages until there are free ones for all of them.
  Result<void> makeRoom(std::span<const Wanted> wanted);
  /// The same for a sequence that comes back.
  Result<void> makeRoomFor(const SlotCopy& copy);
  /// A slot in host memory, where cached pages make room; nothing when that is not enough.
  Result<std::optional<SlotCopy>> copyOut(uint32_t slot, uint32_t positions);

  uint32_t hostPages() const { return tree.hostPages(); }
  const PrefixTree& prefixes() const { return tree; }

private:
  Result<std::optional<HostPages::Block>> save(std::size_t group, int32_t page) override;
  Result<void> load(std::size_t group, HostPages::Block block, int32_t page) override;
  void discard(HostPages::Block block) override { host.give(block); }

  Session& session;
  const uint32_t pageTokens;
  HostPages host;
  PrefixTree tree;
};

} // namespace llcuda::serving
