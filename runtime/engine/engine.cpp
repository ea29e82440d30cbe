// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine/engine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/hash.h"
#include "runtime/engine/verify.h"

namespace llcuda {

using schema::SegmentKind;

namespace {

std::string_view textSpan(const Engine& engine, const fb::Span* span) {
  if (!span)
    return {};
  const auto bytes = engine.segment(SegmentKind::kText).subspan(span->offset(), span->bytes());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

Result<Engine> Engine::open(const std::string& path, Verify verify) {
  Engine engine;
  LLCUDA_ASSIGN_OR_RETURN(engine.mapped, MappedFile::open(path));
  engine.name = path;
  engine.bytesOfFile = engine.mapped.bytes();
  LLCUDA_RETURN_IF_ERROR(engine.verify(verify));
  return engine;
}

Result<Engine> Engine::view(std::span<const std::byte> bytes, std::string name) {
  Engine engine;
  engine.name = std::move(name);
  engine.bytesOfFile = bytes;
  LLCUDA_RETURN_IF_ERROR(engine.verify(Verify::kFull));
  LLCUDA_RETURN_IF_ERROR(engine.check(SegmentKind::kWeights));
  return engine;
}

Result<void> Engine::verify(Verify verify) {
  sound = std::make_unique<std::array<std::atomic<bool>, schema::kSegmentCount>>();
  LLCUDA_ASSIGN_OR_RETURN(file, readSegments(bytesOfFile, name));
  std::vector<SegmentKind> now = {SegmentKind::kMetadata};
  if (verify == Verify::kFull)
    now = {SegmentKind::kConstants, SegmentKind::kText, SegmentKind::kImages, SegmentKind::kMetadata};
  for (const SegmentKind kind : now) readAhead(kind, 0, segment(kind).size());
  for (const SegmentKind kind : now) LLCUDA_RETURN_IF_ERROR(check(kind));
  LLCUDA_ASSIGN_OR_RETURN(root, verifyMetadata(file.segments, name));
  hashOfHeader = hashBytes(bytesOfFile.first(sizeof(schema::EngineHeader)));
  return {};
}

Result<void> Engine::check(SegmentKind kind) const {
  const auto index = static_cast<std::size_t>(kind);
  if ((*sound)[index])
    return {};
  if (hashBytes(segment(kind)) != file.xxh3[index])
    return damagedSegment(name, kind);
  (*sound)[index] = true;
  return {};
}

Result<void> Engine::checkWeights(uint64_t xxh3) const {
  if (xxh3 != file.xxh3[static_cast<std::size_t>(SegmentKind::kWeights)])
    return damagedSegment(name, SegmentKind::kWeights);
  return {};
}

Result<void> Engine::checkWeightPiece(std::size_t piece, std::span<const std::byte> bytes) const {
  if (hashBytes(bytes) != root->weight_pieces()->Get(static_cast<uint32_t>(piece)))
    return damagedSegment(name, SegmentKind::kWeights);
  return {};
}

Result<void> Engine::readWeights(uint64_t offset, std::span<std::byte> to) const {
  if (!mapped.bytes().empty())
    return mapped.read(offsetOf(SegmentKind::kWeights) + offset, to);
  std::ranges::copy(segment(SegmentKind::kWeights).subspan(offset, to.size()), to.begin());
  return {};
}

void Engine::readAhead(SegmentKind kind, uint64_t offset, uint64_t bytes) const {
  if (!mapped.bytes().empty() && bytes != 0)
    mapped.readAhead(offsetOf(kind) + offset, bytes);
}

std::span<const std::byte> Engine::image(const fb::Image& image) const {
  return segment(SegmentKind::kImages).subspan(image.span().offset(), image.span().bytes());
}

uint64_t Engine::weightBytes() const {
  uint64_t bytes = segment(SegmentKind::kWeights).size();
  for (const fb::Buffer* buffer : *root->buffers())
    if (buffer->kind() == fb::BufferKind::weight)
      bytes = std::max(bytes, buffer->offset() + buffer->bytes());
  return bytes;
}

std::string_view Engine::tokenizerJson() const {
  return root->text() ? textSpan(*this, root->text()->tokenizer()) : std::string_view();
}

std::string_view Engine::textConfig() const {
  return root->text() ? textSpan(*this, root->text()->config()) : std::string_view();
}

Result<void> Engine::checkGenerates() const {
  if (!model().encoder())
    return {};
  return unsupported(name, ": is an encoder (", model().architecture()->string_view(),
                     "), which makes embeddings of texts and writes none");
}

bool Engine::hasImages(fb::ImageKind kind) const {
  return std::ranges::all_of(*root->kernels(), [kind](const fb::Kernel* kernel) {
    return std::ranges::any_of(*kernel->images(), [kind](const fb::Image* image) { return image->kind() == kind; });
  });
}

std::string_view Engine::cacheType(fb::KvPart part) const {
  for (const fb::Buffer* buffer : *root->buffers())
    if (buffer->part() == part && buffer->kv_type())
      return buffer->kv_type()->string_view();
  return "";
}

uint32_t Engine::maxPages() const {
  return (root->max_context() + root->page_tokens() - 1) / root->page_tokens();
}

} // namespace llcuda
