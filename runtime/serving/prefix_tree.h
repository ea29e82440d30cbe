// SPDX-License-Identifier: Apache-2.0
// Which prefixes of sequences the pools and host memory hold: a tree of whole pages. It decides and counts; who copies
// pages is its caller's business (PageStore), so it is tested without a device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/exec/host_pages.h"
#include "runtime/exec/slot_state.h"

namespace llcuda::serving {

/// Where pages go that the device has no room for. `group` is a place in the tree's list of groups.
class PageStore {
public:
  virtual ~PageStore() = default;
  /// Copies a page of the device; nothing when there is no room.
  virtual Result<std::optional<HostPages::Block>> save(std::size_t group, int32_t page) = 0;
  /// Copies it back into a page.
  virtual Result<void> load(std::size_t group, HostPages::Block block, int32_t page) = 0;
  virtual void discard(HostPages::Block block) = 0;
};

/// One thread. A node is a page of tokens behind its parent's; it holds that page of every group that still has it, on
/// the device or in host memory. Children are found by a hash of their tokens and compared token by token. Requests of
/// different salts share nothing.
///
/// Of a group whose rows see all positions a node always has the page, and whoever holds a node's page on the device
/// holds its ancestors': so a page that the tree alone holds can be given up, leaves first, whenever it is needed
/// (PagePool::idleCount). Pages of a group with a window are there as far as keepWindow() was called, and can be given
/// up one by one.
class PrefixTree {
public:
  struct Group {
    const PageTable* table; ///< says which pages a slot has, and what a row sees
    PagePool* pool;         ///< the table's
  };
  struct Node;
  using NodePtr = std::shared_ptr<Node>;

  /// `store`, tables and pools outlive the tree.
  PrefixTree(uint32_t pageTokens, std::vector<Group> groups, PageStore& store);
  ~PrefixTree();
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  /// What is there of a sequence.
  struct Hit {
    std::vector<NodePtr> nodes; ///< one for each page that a sequence can begin with; may be none
    /// Who is computing pages behind what is there, and up to which page that is the same sequence; 0: nobody.
    uint64_t computedBy = 0;
    uint32_t computedPages = 0;
    /// Of its pages on the device in the groups of all positions, those that somebody uses: they cost nothing.
    uint32_t usedPages = 0;
  };
  /// Of the whole pages among `tokens`.
  Hit find(uint64_t salt, std::span<const int32_t> tokens) const;

  /// A place in the tree: before it stands a sequence whose pages a slot holds.
  class Path {
  public:
    /// Not at first, and not when the tree has other pages for what the slot computed.
    bool isInTree() const;
    uint32_t pages() const { return nodes.empty() ? 0 : static_cast<uint32_t>(nodes.size() - 1); }

  private:
    friend class PrefixTree;
    std::vector<NodePtr> nodes;     ///< the root, then one for each page
    std::vector<NodePtr> announced; ///< behind them, whose pages are not queued
    uint64_t owner = 0;             ///< of what is announced
  };
  /// Of each group, from which page on.
  using Beginnings = std::vector<SlotState::Beginning>;

  /// The pages with which a slot is to begin a hit, and the path of what it holds then. What lies in host memory is
  /// loaded into pages that are made free for it; where there are not enough, the sequence begins with nothing.
  Result<Path> begin(uint64_t salt, const Hit& hit, Beginnings& pages);
  /// Tells others that `owner` (not 0) is about to compute the whole pages of `tokens` that lie behind the path.
  void announce(Path& path, std::span<const int32_t> tokens, uint64_t owner);
  /// The owner of the path does not compute what was announced.
  void withdraw(Path& path);
  /// The slot's next page is queued: holds it too, and goes on to its node. `tokens`: those of the page.
  void extend(Path& path, std::span<const int32_t> tokens, uint32_t slot);
  /// Holds, of groups with a window, what the slot has of the pages that a row behind the first `count` pages of the
  /// path sees: a sequence can begin there from then on.
  void keepWindow(const Path& path, uint32_t slot, uint32_t count);
  /// The slot gives up what it holds; this was used last.
  void leave(Path& path);
  /// Nobody begins as these tokens do any more, with anything that was computed until now.
  void distrust(uint64_t salt, std::span<const int32_t> tokens);

  /// Gives up pages of a group until `wanted` are free, or none is left to be given up.
  Result<void> makeFree(std::size_t group, uint32_t wanted);
  /// Gives up the block in host memory that was used longest ago, of this group if it has any; false: there is none.
  bool dropFromHost(std::size_t group);

  uint32_t hostPages() const { return inHost; }
  uint32_t nodeCount() const { return count; } ///< without roots
  /// What of the above does not hold, or nothing. For tests.
  std::string faults() const;

private:
  struct Order {
    bool operator()(const Node* a, const Node* b) const;
  };
  using Oldest = std::set<Node*, Order>; // the one to give up first is first

  bool seesAll(std::size_t group) const { return groups[group].table->shape().window == 0; }
  PagePool& pool(std::size_t group) const { return *groups[group].pool; }
  bool canBeginAt(uint32_t page, std::span<const uint32_t> runs) const;
  NodePtr childOf(const Node& parent, std::span<const int32_t> tokens, uint64_t hash) const;
  NodePtr addChild(Node& parent, std::span<const int32_t> tokens, uint64_t hash);
  void place(Node& node, std::size_t group, int32_t page);
  void unplace(Node& node, std::size_t group);
  void setHost(Node& node, std::size_t group, HostPages::Block block);
  void clearHost(Node& node, std::size_t group);
  Result<bool> load(Node& node, std::size_t group);
  bool adopt(Node& node, uint32_t slot);
  void touch(const Path& path);
  void list(Node& node);
  void unlist(Node& node);
  void remove(Node& node);
  void removeSubtree(Node& node);
  void prune(Node& node);
  Result<bool> giveUpOne(std::size_t group);
  Result<std::optional<HostPages::Block>> saved(std::size_t group, int32_t page);

  uint32_t pageTokens;
  std::vector<Group> groups;
  PageStore& store;
  std::unordered_map<uint64_t, NodePtr> roots; // by salt
  std::vector<Oldest> device, host;            // of each group: nodes with a page there that none below needs
  uint64_t uses = 0, lastId = 0;
  uint32_t inHost = 0, count = 0;
};

} // namespace llcuda::serving
