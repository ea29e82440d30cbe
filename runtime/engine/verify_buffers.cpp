// SPDX-License-Identifier: Apache-2.0
// Buffers: each lies in the segment or arena it names, aligned, and all sizes together can be added without a wrap.
#include <algorithm>
#include <array>
#include <string_view>

#include "codegen/formats/kv_names.h"
#include "runtime/engine/verify_parts.h"

namespace llcuda::verify {
namespace {

/// Bytes of the space that a buffer of this kind has an offset into; 0 when it has none.
uint64_t spaceOf(fb::BufferKind kind, const fb::Engine& engine, const EngineSegments& segments) {
  switch (kind) {
  case fb::BufferKind::weight: // behind the segment's end only with a source: verifySources()
    return engine.weight_sources() ? kMaxBufferBytes
                                   : segments[static_cast<std::size_t>(schema::SegmentKind::kWeights)].size();
  case fb::BufferKind::constant:
    return segments[static_cast<std::size_t>(schema::SegmentKind::kConstants)].size();
  case fb::BufferKind::arena:
    return engine.arena_bytes();
  default:
    return 0;
  }
}

bool hasOffset(fb::BufferKind kind) {
  return kind == fb::BufferKind::weight || kind == fb::BufferKind::constant || kind == fb::BufferKind::arena;
}

Result<void> verifyRole(const fb::Buffer& buffer, uint32_t b) {
  if (*fb::EnumNameIoRole(buffer.role()) == '\0') // its numbers have gaps
    return corrupt("buffers[", b, "].role is ", static_cast<int>(buffer.role()));
  if ((buffer.role() != fb::IoRole::none) != (buffer.kind() == fb::BufferKind::io))
    return corrupt("buffers[", b, "] is of kind ", fb::EnumNameBufferKind(buffer.kind()), " with role ",
                   fb::EnumNameIoRole(buffer.role()));
  return {};
}

/// The types of keys and of values, by KvPart, as the buffers so far say.
using CacheTypes = std::array<std::string_view, static_cast<std::size_t>(fb::KvPart::MAX) + 1>;

Result<void> verifyPart(const fb::Buffer& buffer, uint32_t b, CacheTypes& types) {
  if (buffer.part() > fb::KvPart::MAX)
    return corrupt("buffers[", b, "].part is ", static_cast<int>(buffer.part()));
  const bool isCache = buffer.kind() == fb::BufferKind::kv;
  const std::string_view type = buffer.kv_type() ? buffer.kv_type()->string_view() : std::string_view();
  if ((buffer.part() != fb::KvPart::none) != isCache || type.empty() == isCache)
    return corrupt("buffers[", b, "] is of kind ", fb::EnumNameBufferKind(buffer.kind()), " with part ",
                   fb::EnumNameKvPart(buffer.part()), type.empty() ? " and no kv_type" : " and a kv_type");
  if (!isCache)
    return {};
  if (!kvTypeByName(type))
    return unsupported("metadata: buffers[", b, "].kv_type is not one that this version knows");
  std::string_view& known = types[static_cast<std::size_t>(buffer.part())];
  if (!known.empty() && known != type)
    return unsupported("metadata: buffers[", b, "].kv_type is ", type, ", the ", fb::EnumNameKvPart(buffer.part()),
                       " before it are ", known);
  known = type;
  return {};
}

Result<void> verifyPlace(const fb::Buffer& buffer, uint32_t b, uint64_t space) {
  if (!hasOffset(buffer.kind())) {
    if (buffer.offset() != 0)
      return corrupt("buffers[", b, "].offset is ", buffer.offset(), ", kind ", fb::EnumNameBufferKind(buffer.kind()),
                     " has none");
    return {};
  }
  if (buffer.offset() % schema::kBufferAlignment != 0)
    return corrupt("buffers[", b, "].offset is ", buffer.offset(), ", not a multiple of ", schema::kBufferAlignment);
  if (!spanFits(buffer.offset(), buffer.bytes(), space))
    return corrupt("buffers[", b, "] (", fb::EnumNameBufferKind(buffer.kind()), ") ends past its ", space, " bytes");
  return {};
}

Result<void> verifyWindow(const fb::Engine& engine, const fb::Buffer& buffer, uint32_t b) {
  if (buffer.window() == 0)
    return {};
  if (buffer.kind() != fb::BufferKind::kv && buffer.role() != fb::IoRole::block_table)
    return corrupt("buffers[", b, "] has a window of ", buffer.window(), " and is neither a pool nor a block table");
  if (buffer.window() >= engine.max_context())
    return corrupt("buffers[", b, "].window is ", buffer.window(), ", the context has ", engine.max_context());
  return {};
}

} // namespace

Result<void> verifyBuffers(const fb::Engine& engine, const EngineSegments& segments) {
  const auto& buffers = *engine.buffers();
  if (buffers.size() == 0 || buffers.size() > kMaxBuffers)
    return corrupt("buffers has ", buffers.size(), " entries, allowed are 1 to ", kMaxBuffers);
  uint64_t pageBytes = 0; // one page of every pool, one slot of every state
  CacheTypes types;
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    const fb::Buffer& buffer = *buffers[b];
    if (buffer.name()->size() > kMaxNameBytes)
      return corrupt("buffers[", b, "].name has ", buffer.name()->size(), " bytes, allowed are ", kMaxNameBytes);
    if (buffer.kind() > fb::BufferKind::MAX)
      return corrupt("buffers[", b, "].kind is ", static_cast<int>(buffer.kind()));
    LLCUDA_RETURN_IF_ERROR(verifyRole(buffer, b));
    LLCUDA_RETURN_IF_ERROR(verifyPart(buffer, b, types));
    if (buffer.bytes() == 0 || buffer.bytes() > kMaxBufferBytes)
      return corrupt("buffers[", b, "].bytes is ", buffer.bytes(), ", allowed are 1 to ", kMaxBufferBytes);
    LLCUDA_RETURN_IF_ERROR(verifyPlace(buffer, b, spaceOf(buffer.kind(), engine, segments)));
    if (buffer.kind() == fb::BufferKind::counter && buffer.bytes() % sizeof(uint32_t) != 0)
      return corrupt("buffers[", b, "] (counter) has ", buffer.bytes(), " bytes, not a multiple of 4");
    LLCUDA_RETURN_IF_ERROR(verifyWindow(engine, buffer, b));
    if (buffer.kind() == fb::BufferKind::kv || buffer.kind() == fb::BufferKind::state)
      pageBytes += buffer.bytes();
    if (pageBytes > kMaxPageBytes)
      return corrupt("buffers[", b, "] (", fb::EnumNameBufferKind(buffer.kind()),
                     ") makes a page of all layers larger than ", kMaxPageBytes, " bytes");
  }
  return {};
}

} // namespace llcuda::verify
