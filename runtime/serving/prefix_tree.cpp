// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/prefix_tree.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "runtime/base/hash.h"

namespace llcuda::serving {

struct PrefixTree::Node {
  Node* parent = nullptr;
  uint64_t id = 0;
  uint32_t depth = 0; // pages up to its end
  std::vector<int32_t> tokens;
  std::vector<int32_t> pages;                          // of each group, -1: not on the device
  std::vector<std::optional<HostPages::Block>> blocks; // of each group
  std::unordered_multimap<uint64_t, NodePtr> children; // by the hash of their tokens
  uint32_t onDevice = 0, inHost = 0;                   // children with the page of the group that sees all there
  uint64_t announcedBy = 0;                            // not 0: its pages are not queued
  uint64_t lastUse = 0;
  uint32_t paths = 0;    // that end here
  bool isPinned = false; // its blocks in host memory stay meanwhile
  bool isGone = false;

  bool has(std::size_t group) const { return pages[group] >= 0 || blocks[group]; }
};

bool PrefixTree::Order::operator()(const Node* a, const Node* b) const {
  if (a->lastUse != b->lastUse)
    return a->lastUse < b->lastUse;
  return a->depth != b->depth ? a->depth > b->depth : a->id < b->id;
}

PrefixTree::PrefixTree(uint32_t pageTokens, std::vector<Group> given, PageStore& store)
    : pageTokens(pageTokens), groups(std::move(given)), store(store), device(groups.size()), host(groups.size()) {}

PrefixTree::~PrefixTree() {
  for (auto& [salt, root] : roots)
    while (!root->children.empty()) removeSubtree(*root->children.begin()->second);
}

bool PrefixTree::Path::isInTree() const {
  return !nodes.empty() && !nodes.back()->isGone;
}

// ------------------------------------------------------------------------------------------------------- what is there

PrefixTree::NodePtr PrefixTree::childOf(const Node& parent, std::span<const int32_t> tokens, uint64_t hash) const {
  const auto [first, last] = parent.children.equal_range(hash);
  const auto found =
      std::find_if(first, last, [&](const auto& child) { return std::ranges::equal(child.second->tokens, tokens); });
  return found == last ? nullptr : found->second;
}

/// Whether a sequence can begin behind `page` pages of which the last runs[group] ones are there.
bool PrefixTree::canBeginAt(uint32_t page, std::span<const uint32_t> runs) const {
  for (std::size_t group = 0; group < groups.size(); ++group)
    if (runs[group] < page - groups[group].table->firstSeen(page * pageTokens))
      return false;
  return true;
}

PrefixTree::Hit PrefixTree::find(uint64_t salt, std::span<const int32_t> tokens) const {
  Hit hit;
  const auto root = roots.find(salt);
  if (root == roots.end())
    return hit;
  std::vector<uint32_t> runs(groups.size());
  std::size_t whole = 0; // nodes of the longest beginning
  NodePtr node = root->second;
  for (uint32_t page = 0; (page + 1) * pageTokens <= tokens.size(); ++page) {
    const std::span<const int32_t> part = tokens.subspan(std::size_t{page} * pageTokens, pageTokens);
    node = childOf(*node, part, hashBytes(std::as_bytes(part)));
    if (!node || (hit.computedBy != 0 && node->announcedBy != hit.computedBy))
      break;
    if (node->announcedBy != 0) {
      hit.computedBy = node->announcedBy;
      hit.computedPages = page + 1;
      continue;
    }
    hit.nodes.push_back(node);
    for (std::size_t group = 0; group < groups.size(); ++group) runs[group] = node->has(group) ? runs[group] + 1 : 0;
    if (canBeginAt(page + 1, runs))
      whole = page + 1;
  }
  hit.nodes.resize(whole);
  for (const NodePtr& used : hit.nodes)
    for (std::size_t group = 0; group < groups.size(); ++group)
      hit.usedPages += seesAll(group) && used->pages[group] >= 0 && pool(group).users(used->pages[group]) != 0;
  return hit;
}

// ------------------------------------------------------------------------------------------------------------- a path

Result<PrefixTree::Path> PrefixTree::begin(uint64_t salt, const Hit& hit, Beginnings& pages) {
  NodePtr& root = roots[salt];
  if (!root)
    root = std::make_shared<Node>();
  Path path;
  path.nodes.push_back(root);
  path.nodes.insert(path.nodes.end(), hit.nodes.begin(), hit.nodes.end());
  touch(path);
  const auto count = static_cast<uint32_t>(hit.nodes.size());
  pages.assign(groups.size(), {});
  // Held meanwhile, so that making room for some does not take others away.
  std::vector<std::pair<std::size_t, int32_t>> held;
  const auto hold = [&](std::size_t group, int32_t page) {
    pool(group).share(page);
    held.emplace_back(group, page);
  };
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (uint32_t page = groups[group].table->firstSeen(count * pageTokens); page < count; ++page) {
      Node& node = *hit.nodes[page];
      node.isPinned = true;
      if (node.pages[group] >= 0)
        hold(group, node.pages[group]);
    }
  Result<bool> loaded = true;
  for (std::size_t group = 0; group < groups.size() && loaded && *loaded; ++group) {
    pages[group].first = groups[group].table->firstSeen(count * pageTokens);
    for (uint32_t page = pages[group].first; page < count && loaded && *loaded; ++page) {
      Node& node = *hit.nodes[page];
      if (node.pages[group] < 0) {
        loaded = load(node, group);
        if (loaded && *loaded)
          hold(group, node.pages[group]);
      }
      pages[group].pages.push_back(node.pages[group]);
    }
  }
  for (const NodePtr& node : hit.nodes) node->isPinned = false;
  for (const auto& [group, page] : held) pool(group).release(page);
  if (!loaded)
    return loaded.error();
  if (!*loaded) {
    pages.assign(groups.size(), {});
    path.nodes.resize(1);
  }
  ++path.nodes.back()->paths;
  return path;
}

/// False when no page can be had.
Result<bool> PrefixTree::load(Node& node, std::size_t group) {
  LLCUDA_RETURN_IF_ERROR(makeFree(group, 1));
  const int32_t page = pool(group).take();
  if (page < 0)
    return false;
  const Result<void> loaded = store.load(group, *node.blocks[group], page);
  if (loaded) {
    clearHost(node, group);
    place(node, group, page);
  }
  pool(group).release(page); // the tree alone holds it
  return loaded ? Result<bool>(true) : loaded.error();
}

void PrefixTree::announce(Path& path, std::span<const int32_t> tokens, uint64_t owner) {
  if (!path.isInTree())
    return;
  path.owner = owner;
  NodePtr node = path.nodes.back();
  for (uint32_t page = path.pages(); (page + 1) * pageTokens <= tokens.size(); ++page) {
    const std::span<const int32_t> part = tokens.subspan(std::size_t{page} * pageTokens, pageTokens);
    const uint64_t hash = hashBytes(std::as_bytes(part));
    NodePtr child = childOf(*node, part, hash);
    if (child && child->announcedBy != 0)
      return; // somebody else computes it, and what is behind it is not in the tree
    if (!child) {
      child = addChild(*node, part, hash);
      child->announcedBy = owner;
      path.announced.push_back(child);
    }
    node = std::move(child);
  }
}

void PrefixTree::withdraw(Path& path) {
  for (const NodePtr& node : std::exchange(path.announced, {}))
    if (node->announcedBy != 0 && !node->isGone)
      removeSubtree(*node); // with all that was announced behind it
}

/// Whether the node has, or gets, the page that the slot has in its place. Not when somebody uses another one: he holds
/// what is behind it too.
bool PrefixTree::adopt(Node& node, uint32_t slot) {
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const int32_t page = groups[group].table->row(slot)[node.depth - 1];
    if (!seesAll(group) || node.pages[group] == page)
      continue;
    if (node.pages[group] >= 0 && pool(group).users(node.pages[group]) != 0)
      return false;
    if (node.pages[group] >= 0)
      unplace(node, group);
    if (node.blocks[group])
      clearHost(node, group);
    place(node, group, page);
  }
  return true;
}

void PrefixTree::extend(Path& path, std::span<const int32_t> tokens, uint32_t slot) {
  if (!path.isInTree())
    return;
  Node& parent = *path.nodes.back();
  const uint64_t hash = hashBytes(std::as_bytes(tokens));
  NodePtr child = childOf(parent, tokens, hash);
  if (!child)
    child = addChild(parent, tokens, hash);
  if ((child->announcedBy != 0 && child->announcedBy != path.owner) || !adopt(*child, slot)) {
    leave(path);
    return;
  }
  child->announcedBy = 0;
  --parent.paths;
  ++child->paths;
  path.nodes.push_back(std::move(child));
}

void PrefixTree::keepWindow(const Path& path, uint32_t slot, uint32_t count) {
  if (!path.isInTree() || count > path.pages())
    return;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    if (seesAll(group))
      continue;
    const PageTable& table = *groups[group].table;
    for (uint32_t page = table.firstSeen(count * pageTokens); page < count; ++page) {
      Node& node = *path.nodes[page + 1];
      const int32_t mine = table.row(slot)[page];
      if (mine < 0 || node.pages[group] >= 0)
        continue;
      if (node.blocks[group])
        clearHost(node, group);
      place(node, group, mine);
    }
  }
}

void PrefixTree::leave(Path& path) {
  withdraw(path);
  if (path.isInTree()) {
    touch(path);
    --path.nodes.back()->paths;
    prune(*path.nodes.back());
  }
  path.nodes.clear();
}

void PrefixTree::distrust(uint64_t salt, std::span<const int32_t> tokens) {
  const auto found = roots.find(salt);
  if (found == roots.end() || tokens.size() < pageTokens)
    return;
  const NodePtr root = found->second;
  const std::span<const int32_t> part = tokens.first(pageTokens);
  if (const NodePtr node = childOf(*root, part, hashBytes(std::as_bytes(part))))
    removeSubtree(*node);
  prune(*root);
}

/// All of it was used now; of what is equally old the end goes first.
void PrefixTree::touch(const Path& path) {
  ++uses;
  for (const NodePtr& node : path.nodes) {
    unlist(*node);
    node->lastUse = uses;
    list(*node);
  }
}

// ------------------------------------------------------------------------------------------------------------- nodes

PrefixTree::NodePtr PrefixTree::addChild(Node& parent, std::span<const int32_t> tokens, uint64_t hash) {
  auto child = std::make_shared<Node>();
  child->parent = &parent;
  child->id = ++lastId;
  child->depth = parent.depth + 1;
  child->tokens.assign(tokens.begin(), tokens.end());
  child->pages.assign(groups.size(), -1);
  child->blocks.assign(groups.size(), std::nullopt);
  child->lastUse = uses;
  parent.children.emplace(hash, child);
  ++count;
  return child;
}

/// The node stands where it can be given up, and nowhere else.
void PrefixTree::list(Node& node) {
  for (std::size_t group = 0; group < groups.size() && node.parent; ++group) {
    if (node.pages[group] >= 0 && (!seesAll(group) || node.onDevice == 0))
      device[group].insert(&node);
    if (node.blocks[group] && (!seesAll(group) || node.inHost == 0))
      host[group].insert(&node);
  }
}

void PrefixTree::unlist(Node& node) {
  for (std::size_t group = 0; group < groups.size() && node.parent; ++group) {
    device[group].erase(&node);
    host[group].erase(&node);
  }
}

/// The tree holds a page that somebody else holds.
void PrefixTree::place(Node& node, std::size_t group, int32_t page) {
  assert(node.pages[group] < 0 && !node.blocks[group]);
  pool(group).keep(page);
  unlist(node);
  node.pages[group] = page;
  list(node);
  if (seesAll(group)) {
    unlist(*node.parent);
    ++node.parent->onDevice;
    list(*node.parent);
  }
}

void PrefixTree::unplace(Node& node, std::size_t group) {
  unlist(node);
  pool(group).drop(std::exchange(node.pages[group], -1));
  list(node);
  if (seesAll(group)) {
    unlist(*node.parent);
    --node.parent->onDevice;
    list(*node.parent);
  }
}

void PrefixTree::setHost(Node& node, std::size_t group, HostPages::Block block) {
  assert(node.pages[group] < 0 && !node.blocks[group]);
  unlist(node);
  node.blocks[group] = block;
  list(node);
  ++inHost;
  if (seesAll(group)) {
    unlist(*node.parent);
    ++node.parent->inHost;
    list(*node.parent);
  }
}

void PrefixTree::clearHost(Node& node, std::size_t group) {
  unlist(node);
  store.discard(*std::exchange(node.blocks[group], std::nullopt));
  list(node);
  --inHost;
  if (seesAll(group)) {
    unlist(*node.parent);
    --node.parent->inHost;
    list(*node.parent);
  }
}

/// A node without children.
void PrefixTree::remove(Node& node) {
  assert(node.children.empty());
  for (std::size_t group = 0; group < groups.size(); ++group) {
    if (node.pages[group] >= 0)
      unplace(node, group);
    if (node.blocks[group])
      clearHost(node, group);
  }
  node.isGone = true;
  --count;
  auto [child, last] = node.parent->children.equal_range(hashBytes(std::as_bytes(std::span(node.tokens))));
  while (child->second.get() != &node) ++child;
  node.parent->children.erase(child); // the node goes, unless a path still names it
}

void PrefixTree::removeSubtree(Node& node) {
  while (!node.children.empty()) removeSubtree(*node.children.begin()->second);
  remove(node);
}

/// Nodes of which nothing is left, and to which nothing leads, go.
void PrefixTree::prune(Node& from) {
  for (Node* node = &from; node->children.empty() && node->paths == 0 && node->announcedBy == 0;) {
    if (!node->parent) {
      std::erase_if(roots, [&](const auto& entry) { return entry.second.get() == node; });
      return;
    }
    for (std::size_t group = 0; group < groups.size(); ++group)
      if (node->has(group))
        return;
    Node* parent = node->parent;
    remove(*node);
    node = parent;
  }
}

// ------------------------------------------------------------------------------------------------------------- room

bool PrefixTree::dropFromHost(std::size_t group) {
  const auto oldestOf = [&](std::size_t g) {
    const auto found = std::ranges::find_if(host[g], [](const Node* node) { return !node->isPinned; });
    return found == host[g].end() ? nullptr : *found;
  };
  Node* node = oldestOf(group);
  for (std::size_t other = 0; other < groups.size() && !node; ++other) {
    node = oldestOf(other);
    group = other;
  }
  if (!node)
    return false;
  Node* parent = node->parent;
  if (seesAll(group)) {
    removeSubtree(*node); // nobody can come to what is behind it
    prune(*parent);
  } else {
    clearHost(*node, group);
    prune(*node);
  }
  return true;
}

Result<std::optional<HostPages::Block>> PrefixTree::saved(std::size_t group, int32_t page) {
  while (true) {
    LLCUDA_ASSIGN_OR_RETURN(const std::optional<HostPages::Block> block, store.save(group, page));
    if (block || !dropFromHost(group))
      return block;
  }
}

Result<bool> PrefixTree::giveUpOne(std::size_t group) {
  const auto oldest =
      std::ranges::find_if(device[group], [&](const Node* node) { return pool(group).users(node->pages[group]) == 0; });
  if (oldest == device[group].end())
    return false;
  Node& node = **oldest;
  node.isPinned = true; // what makes room in host memory may not take the node itself
  const Result<std::optional<HostPages::Block>> block = saved(group, node.pages[group]);
  node.isPinned = false;
  if (!block)
    return block.error();
  if (!*block && seesAll(group)) {
    Node& parent = *node.parent;
    removeSubtree(node);
    prune(parent);
    return true;
  }
  unplace(node, group);
  if (*block)
    setHost(node, group, **block);
  else
    prune(node);
  return true;
}

Result<void> PrefixTree::makeFree(std::size_t group, uint32_t wanted) {
  while (pool(group).freeCount() < wanted) {
    LLCUDA_ASSIGN_OR_RETURN(const bool given, giveUpOne(group));
    if (!given)
      break;
  }
  return {};
}

// ------------------------------------------------------------------------------------------------------------- tests

std::string PrefixTree::faults() const {
  std::string faults;
  std::vector<uint32_t> kept(groups.size());
  uint32_t nodes = 0, blocks = 0;
  const auto visit = [&](const auto& self, const Node& node) -> void {
    uint32_t onDevice = 0, inBlocks = 0;
    for (const auto& [hash, child] : node.children) {
      ++nodes;
      const std::string name = detail::concat("node ", child->id, " of depth ", child->depth, ": ");
      if (child->parent != &node || child->isGone || child->depth != node.depth + 1)
        faults += name + "it is not its parent's child\n";
      for (std::size_t group = 0; group < groups.size(); ++group) {
        const int32_t page = child->pages[group];
        const PagePool& pool = *groups[group].pool;
        kept[group] += page >= 0;
        blocks += child->blocks[group].has_value();
        if (page >= 0 && !pool.isKept(page))
          faults += name + "the pool does not know that its page is kept\n";
        if (page >= 0 && child->blocks[group])
          faults += name + "it is in two places\n";
        if ((page >= 0 && (!seesAll(group) || child->onDevice == 0)) != (device[group].count(child.get()) == 1) ||
            (child->blocks[group] && (!seesAll(group) || child->inHost == 0)) != (host[group].count(child.get()) == 1))
          faults += name + "it is not listed as it should be\n";
        if (!seesAll(group))
          continue;
        onDevice += page >= 0;
        inBlocks += child->blocks[group].has_value();
        if (child->has(group) == (child->announcedBy != 0))
          faults += name + "it has a page and is announced, or neither\n";
        if (page >= 0 && node.parent && node.pages[group] < 0)
          faults += name + "it is on the device, its parent is not\n";
        if (page >= 0 && node.parent && pool.users(page) != 0 && pool.users(node.pages[group]) == 0)
          faults += name + "it is used, its parent is not\n";
      }
      self(self, *child);
    }
    if (node.onDevice != onDevice || node.inHost != inBlocks)
      faults += "children are not counted as they are\n";
  };
  for (const auto& [salt, root] : roots) visit(visit, *root);
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const PagePool& pool = *groups[group].pool;
    uint32_t known = 0, idle = 0;
    for (uint32_t page = 0; page < groups[group].table->shape().poolPages; ++page) {
      known += pool.isKept(static_cast<int32_t>(page));
      idle += pool.isKept(static_cast<int32_t>(page)) && pool.users(static_cast<int32_t>(page)) == 0;
    }
    if (known != kept[group] || idle != pool.idleCount())
      faults += detail::concat("group ", group, ": ", known, " pages are kept, ", kept[group], " are in the tree; ",
                               idle, " are idle, ", pool.idleCount(), " are counted\n");
  }
  if (nodes != count || blocks != inHost)
    faults += detail::concat(nodes, " nodes and ", blocks, " blocks, ", count, " and ", inHost, " are counted\n");
  return faults;
}

} // namespace llcuda::serving
