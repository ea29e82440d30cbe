// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/emit_engine.h"

#include <filesystem>

#include "compiler/emit/buffer_source.h"
#include "compiler/emit/metadata.h"
#include "runtime/base/prefetch.h"
#include "runtime/schema/engine_writer.h"

namespace llcuda::emit {
namespace {

using schema::EngineWriter;
using schema::SegmentKind;

/// Bytes of packed weights that may wait in memory while an earlier one is written.
constexpr uint64_t kMaxAhead = 256 << 20;

Result<void> writeText(EngineWriter& writer, std::initializer_list<const std::string*> parts) {
  for (const std::string* part : parts) LLCUDA_RETURN_IF_ERROR(writer.append(std::as_bytes(std::span(*part))));
  return {};
}

} // namespace

EngineEmitter::EngineEmitter(EmitInput input, std::string path, EngineWriter writer)
    : input(std::move(input)), path(std::move(path)), writer(std::move(writer)) {}

Result<EngineEmitter> EngineEmitter::create(EmitInput input, const std::string& path, std::vector<InputFile> inputs) {
  LLCUDA_ASSIGN_OR_RETURN(EngineWriter writer, EngineWriter::create(path, std::move(inputs)));
  return EngineEmitter(std::move(input), path, std::move(writer));
}

Result<void> EngineEmitter::writeBuffers(const SegmentPlan& segment, bool reports, const std::atomic<bool>& cancelled) {
  Prefetch<Result<std::vector<std::byte>>> packed({
      .count = segment.buffers.size(),
      .threads = input.threads,
      .maxBytes = kMaxAhead,
      .bytesOf = [&](size_t i) { return static_cast<uint64_t>(plan::BufferOp(segment.buffers[i]).getBytes()); },
      .make = [&](size_t i) { return bufferBytes(segment.buffers[i], *input.checkpoint); },
  });
  for (size_t i = 0; i < segment.buffers.size(); ++i) {
    if (cancelled)
      return makeError(ErrorCode::kCancelled, path, ": is not written: something before failed");
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, packed.next());
    LLCUDA_RETURN_IF_ERROR(writer.alignTo(schema::kBufferAlignment));
    assert(writer.segmentBytes() == segment.offsets[i]);
    LLCUDA_RETURN_IF_ERROR(writer.append(bytes));
    if (reports && input.progress)
      input.progress(writer.segmentBytes(), segment.bytes);
  }
  return {};
}

Result<void> EngineEmitter::writeWeights(const std::atomic<bool>& cancelled) {
  constants = planSegment(input.plan, plan::BufferKind::Constant);
  LLCUDA_ASSIGN_OR_RETURN(weights, planWeights(input.plan, *input.checkpoint, input.refersWeights));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kConstants));
  LLCUDA_RETURN_IF_ERROR(writeBuffers(constants, false, cancelled));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kWeights));
  LLCUDA_RETURN_IF_ERROR(writeBuffers(weights.embedded, true, cancelled));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kText));
  return writeText(writer, {&input.tokenizer, &input.textConfig});
}

Result<EmitSummary> EngineEmitter::finish(const EmitResults& results) {
  LLCUDA_ASSIGN_OR_RETURN(const ImageSegment images, layOutImages(input.plan, results.images));
  LLCUDA_ASSIGN_OR_RETURN(const std::string metadata,
                          buildMetadata(input, results, images, constants, weights, writer.weightPieces()));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kImages));
  LLCUDA_RETURN_IF_ERROR(writeText(writer, {&images.bytes}));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kMetadata));
  LLCUDA_RETURN_IF_ERROR(writeText(writer, {&metadata}));
  LLCUDA_RETURN_IF_ERROR(writer.finish());

  std::error_code error;
  const uint64_t fileBytes = std::filesystem::file_size(path, error);
  if (error)
    return internalError(path, ": was written and cannot be read: ", error.message());
  return EmitSummary{fileBytes, weights.embedded.bytes, weights.referencedBytes(), constants.bytes,
                     images.bytes.size()};
}

} // namespace llcuda::emit
