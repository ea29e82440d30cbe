// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/emit_engine.h"

#include <deque>
#include <filesystem>
#include <future>

#include "compiler/emit/buffer_source.h"
#include "compiler/emit/metadata.h"
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

/// Makes the bytes of a segment's buffers on several threads, a few ahead of the one that is being written.
class Packer {
public:
  using Bytes = Result<std::vector<std::byte>>;

  Packer(const SegmentPlan& segment, const EmitInput& input) : segment(segment), input(input) {}

  Bytes next() {
    while (started < segment.buffers.size() && pending.size() < input.threads &&
           (pending.empty() || aheadBytes + bytesOf(started) <= kMaxAhead))
      start();
    Bytes bytes = pending.front().get();
    pending.pop_front();
    aheadBytes -= bytesOf(taken++);
    return bytes;
  }

private:
  uint64_t bytesOf(size_t i) const { return static_cast<uint64_t>(plan::BufferOp(segment.buffers[i]).getBytes()); }

  void start() {
    plan::BufferOp buffer = segment.buffers[started];
    aheadBytes += bytesOf(started++);
    pending.push_back(std::async(std::launch::async, [this, buffer] { return bufferBytes(buffer, input.findTensor); }));
  }

  const SegmentPlan& segment;
  const EmitInput& input;
  std::deque<std::future<Bytes>> pending;
  size_t started = 0;
  size_t taken = 0;
  uint64_t aheadBytes = 0;
};

Result<void> writeBuffers(EngineWriter& writer, const SegmentPlan& segment, const EmitInput& input, bool reports) {
  Packer packer(segment, input);
  for (size_t i = 0; i < segment.buffers.size(); ++i) {
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, packer.next());
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
  const SegmentPlan weights = planSegment(input.plan, plan::BufferKind::Weight);
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
  LLCUDA_RETURN_IF_ERROR(writeBuffers(writer, weights, input, true));
  LLCUDA_RETURN_IF_ERROR(writer.finish());

  std::error_code error;
  const uint64_t fileBytes = std::filesystem::file_size(path, error);
  if (error)
    return internalError(path, ": was written and cannot be read: ", error.message());
  return EmitSummary{fileBytes, weights.bytes, constants.bytes, images.bytes.size()};
}

} // namespace llcuda::emit
