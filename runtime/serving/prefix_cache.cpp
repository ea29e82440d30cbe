// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/prefix_cache.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {
namespace {

std::vector<PrefixTree::Group> groupsOf(Session& session) {
  std::vector<PrefixTree::Group> groups;
  for (std::size_t group = 0; group < session.slots().groups().size(); ++group)
    groups.push_back({&session.slots().groups()[group].table, &session.pool(group)});
  return groups;
}

} // namespace

PrefixCache::PrefixCache(Session& session, uint64_t hostBytes)
    : session(session), pageTokens(session.program().engine().metadata().page_tokens()),
      host(session.program().device().context, session.copier().blockBytes(), hostBytes),
      tree(pageTokens, groupsOf(session), *this) {}

PrefixTree::Hit PrefixCache::find(const Prefix& prefix, std::span<const int32_t> tokens) const {
  return prefix.isUsed ? tree.find(prefix.salt, tokens) : PrefixTree::Hit();
}

Result<uint32_t> PrefixCache::begin(Prefix& prefix, const PrefixTree::Hit& hit, uint32_t slot,
                                    std::span<const int32_t> tokens, uint64_t owner) {
  if (!prefix.isUsed)
    return 0u;
  PrefixTree::Beginnings pages;
  LLCUDA_ASSIGN_OR_RETURN(prefix.path, tree.begin(prefix.salt, hit, pages));
  const uint32_t positions = prefix.path.pages() * pageTokens;
  if (positions != 0)
    session.begin(slot, pages, positions);
  const auto most = std::size_t{std::min(prefix.mostPages, UINT32_MAX / pageTokens)} * pageTokens;
  tree.announce(prefix.path, tokens.first(std::min(tokens.size(), most)), owner);
  return positions;
}

Result<void> PrefixCache::comeBack(Prefix& prefix, uint32_t slot, std::span<const int32_t> tokens, uint32_t positions) {
  if (!prefix.isUsed)
    return {};
  PrefixTree::Beginnings none;
  LLCUDA_ASSIGN_OR_RETURN(prefix.path, tree.begin(prefix.salt, {}, none));
  advance(prefix, slot, tokens, positions);
  return {};
}

void PrefixCache::advance(Prefix& prefix, uint32_t slot, std::span<const int32_t> tokens, uint32_t positions) {
  PrefixTree::Path& path = prefix.path;
  while (path.isInTree() && path.pages() < prefix.mostPages && (path.pages() + 1) * pageTokens <= positions) {
    tree.extend(path, tokens.subspan(std::size_t{path.pages()} * pageTokens, pageTokens), slot);
    if (path.isInTree() && (path.pages() * pageTokens % kAnchorTokens == 0 || prefix.anchors.contains(path.pages())))
      tree.keepWindow(path, slot, path.pages());
  }
}

void PrefixCache::leave(Prefix& prefix, uint32_t slot) {
  tree.keepWindow(prefix.path, slot, prefix.path.pages());
  tree.leave(prefix.path);
}

Result<void> PrefixCache::makeRoom(std::span<const Wanted> wanted) {
  // First all give back what they do not need: the cache can then give that up.
  for (const auto& [slot, first, end] : wanted) session.trim(slot, first, end);
  for (std::size_t group = 0; group < session.slots().groups().size(); ++group) {
    uint32_t missing = 0;
    for (const auto& [slot, first, end] : wanted)
      missing += session.slots().groups()[group].table.missing(slot, first, end);
    LLCUDA_RETURN_IF_ERROR(tree.makeFree(group, missing));
  }
  return {};
}

Result<void> PrefixCache::makeRoomFor(const SlotCopy& copy) {
  for (std::size_t group = 0; group < copy.ranges().size(); ++group)
    LLCUDA_RETURN_IF_ERROR(tree.makeFree(group, copy.ranges()[group].count()));
  return {};
}

Result<std::optional<SlotCopy>> PrefixCache::copyOut(uint32_t slot, uint32_t positions) {
  uint64_t bytes = host.bytesOf(host.kinds() - 1);
  for (std::size_t group = 0; group < session.slots().groups().size(); ++group)
    bytes += session.slots().groups()[group].table.heldBy(slot, positions).count() * host.bytesOf(group);
  if (bytes > host.roomBytes())
    return std::optional<SlotCopy>();
  while (true) {
    LLCUDA_ASSIGN_OR_RETURN(std::optional<SlotCopy> copy, session.copyOut(slot, positions, host));
    if (copy || !tree.dropFromHost(0))
      return copy;
  }
}

Result<std::optional<HostPages::Block>> PrefixCache::save(std::size_t group, int32_t page) {
  LLCUDA_ASSIGN_OR_RETURN(const std::optional<HostPages::Block> block, host.take(group));
  if (block)
    LLCUDA_RETURN_IF_ERROR(session.copier().pageOut(group, page, host.bytes(*block)));
  return block;
}

Result<void> PrefixCache::load(std::size_t group, HostPages::Block block, int32_t page) {
  return session.copier().pageIn(group, page, host.bytes(block));
}

} // namespace llcuda::serving
