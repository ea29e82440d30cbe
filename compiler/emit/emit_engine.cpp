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

Result<void> writeBuffers(EngineWriter& writer, const SegmentPlan& segment, const EmitInput& input, bool reports) {
  Prefetch<Result<std::vector<std::byte>>> packed({
      .count = segment.buffers.size(),
      .threads = input.threads,
      .maxBytes = kMaxAhead,
      .bytesOf = [&](size_t i) { return static_cast<uint64_t>(plan::BufferOp(segment.buffers[i]).getBytes()); },
      .make = [&](size_t i) { return bufferBytes(segment.buffers[i], input.findTensor); },
  });
  for (size_t i = 0; i < segment.buffers.size(); ++i) {
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, packed.next());
    LLCUDA_RETURN_IF_ERROR(writer.alignTo(schema::kBufferAlignment));
    assert(writer.segmentBytes() == segment.offsets[i]);
    LLCUDA_RETURN_IF_ERROR(writer.append(bytes));
    if (reports && input.progress)
      input.progress(writer.segmentBytes(), segment.bytes);
  }
  return {};
}

} // namespace

Result<EmitSummary> emitEngine(const EmitInput& input, const std::string& path) {
  const SegmentPlan constants = planSegment(input.plan, plan::BufferKind::Constant);
  LLCUDA_ASSIGN_OR_RETURN(const WeightPlan weights, planWeights(input));
  LLCUDA_ASSIGN_OR_RETURN(const ImageSegment images, layOutImages(input.plan, input.images));
  LLCUDA_ASSIGN_OR_RETURN(const std::string metadata, buildMetadata(input, images, constants, weights));

  LLCUDA_ASSIGN_OR_RETURN(EngineWriter writer, EngineWriter::create(path));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kMetadata));
  LLCUDA_RETURN_IF_ERROR(writeText(writer, {&metadata}));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kImages));
  LLCUDA_RETURN_IF_ERROR(writeText(writer, {&images.bytes}));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kText));
  LLCUDA_RETURN_IF_ERROR(writeText(writer, {&input.tokenizer, &input.textConfig}));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kConstants));
  LLCUDA_RETURN_IF_ERROR(writeBuffers(writer, constants, input, false));
  LLCUDA_RETURN_IF_ERROR(writer.begin(SegmentKind::kWeights));
  LLCUDA_RETURN_IF_ERROR(writeBuffers(writer, weights.embedded, input, true));
  LLCUDA_RETURN_IF_ERROR(writer.finish());

  std::error_code error;
  const uint64_t fileBytes = std::filesystem::file_size(path, error);
  if (error)
    return internalError(path, ": was written and cannot be read: ", error.message());
  return EmitSummary{fileBytes, weights.embedded.bytes, weights.referencedBytes(), constants.bytes,
                     images.bytes.size()};
}

} // namespace llcuda::emit
