// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine/engine.h"

#include <algorithm>
#include <utility>

#include "runtime/base/hash.h"
#include "runtime/engine/verify.h"

namespace llcuda {
namespace {

std::string_view textSpan(const Engine& engine, const fb::Span* span) {
  if (!span)
    return {};
  const auto bytes = engine.segment(schema::SegmentKind::kText).subspan(span->offset(), span->bytes());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

Result<Engine> Engine::open(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::open(path));
  LLCUDA_ASSIGN_OR_RETURN(Engine engine, verified(mapped.bytes(), path));
  engine.mapped = std::move(mapped);
  return engine;
}

Result<Engine> Engine::view(std::span<const std::byte> bytes, std::string name) {
  LLCUDA_ASSIGN_OR_RETURN(Engine engine, verified(bytes, std::move(name)));
  LLCUDA_RETURN_IF_ERROR(engine.checkWeights());
  return engine;
}

Result<Engine> Engine::verified(std::span<const std::byte> bytes, std::string name) {
  Engine engine;
  engine.name = std::move(name);
  LLCUDA_ASSIGN_OR_RETURN(engine.file, readSegments(bytes, engine.name));
  LLCUDA_ASSIGN_OR_RETURN(engine.root, verifyMetadata(engine.file.segments, engine.name));
  engine.bytesOfFile = bytes;
  engine.hashOfHeader = hashBytes(bytes.first(sizeof(schema::EngineHeader)));
  return engine;
}

Result<void> Engine::checkWeights() const {
  return checkWeights(hashBytes(segment(schema::SegmentKind::kWeights)));
}

Result<void> Engine::checkWeights(uint64_t xxh3) const {
  if (xxh3 != file.weightsXxh3)
    return damagedSegment(name, schema::SegmentKind::kWeights);
  return {};
}

Result<void> Engine::readWeights(uint64_t offset, std::span<std::byte> to) const {
  const auto from = segment(schema::SegmentKind::kWeights).subspan(offset, to.size());
  if (!mapped.bytes().empty())
    return mapped.read(static_cast<uint64_t>(from.data() - bytesOfFile.data()), to);
  std::ranges::copy(from, to.begin());
  return {};
}

std::span<const std::byte> Engine::image(const fb::Image& image) const {
  return segment(schema::SegmentKind::kImages).subspan(image.span().offset(), image.span().bytes());
}

uint64_t Engine::weightBytes() const {
  uint64_t bytes = segment(schema::SegmentKind::kWeights).size();
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
