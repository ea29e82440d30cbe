// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/weight_upload.h"

#include <algorithm>
#include <vector>

#include "runtime/base/prefetch.h"
#include "runtime/cuda/memory.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda {
namespace {

constexpr uint64_t kPieceBytes = 8 << 20;
constexpr unsigned kReaders = 4;
constexpr std::size_t kPieces = kReaders + 2; // in memory: one is hashed, one is copied

/// Bytes of the segment, and where they go.
struct Range {
  uint64_t begin = 0, end = 0;
  cuda::CUdeviceptr to = 0;
};

/// In the order of the segment; neighbours that are neighbours on the device too are one.
std::vector<Range> rangesOf(const Engine& engine, std::span<const cuda::CUdeviceptr> addresses) {
  const auto& buffers = *engine.metadata().buffers();
  const uint64_t bytes = engine.segment(schema::SegmentKind::kWeights).size();
  std::vector<Range> ranges;
  for (uint32_t b = 0; b < buffers.size(); ++b)
    if (const uint64_t end = buffers[b]->offset() + buffers[b]->bytes();
        buffers[b]->kind() == fb::BufferKind::weight && end <= bytes)
      ranges.push_back({buffers[b]->offset(), end, addresses[b]});
  std::ranges::sort(ranges, {}, &Range::begin);
  std::vector<Range> merged;
  for (const Range& range : ranges)
    if (!merged.empty() && range.to - range.begin == merged.back().to - merged.back().begin)
      merged.back().end = std::max(merged.back().end, range.end);
    else
      merged.push_back(range);
  return merged;
}

class Upload {
public:
  Upload(const Engine& engine, std::span<const cuda::CUdeviceptr> addresses, const cuda::Stream& stream)
      : engine(engine), stream(stream), ranges(rangesOf(engine, addresses)),
        bytes(engine.segment(schema::SegmentKind::kWeights).size()), pieces((bytes + kPieceBytes - 1) / kPieceBytes),
        placeBytes(std::min(bytes, kPieceBytes)) {}

  Result<void> run(const std::shared_ptr<const cuda::Context>& context) {
    const uint64_t places = std::min<uint64_t>(pieces, kPieces);
    LLCUDA_ASSIGN_OR_RETURN(memory,
                            cuda::PinnedMemory::allocate(context, places * placeBytes, "the weights on their way"));
    for (uint64_t i = 0; i < places; ++i) {
      LLCUDA_ASSIGN_OR_RETURN(auto event, cuda::Event::create(context));
      copied.push_back(std::move(event));
    }
    const Result<void> done = copyAll();
    const Result<void> idle = stream.synchronize(); // also when a piece failed: copies read the memory
    LLCUDA_RETURN_IF_ERROR(done);
    return idle;
  }

private:
  uint64_t sizeOf(std::size_t piece) const { return std::min(bytes - piece * kPieceBytes, kPieceBytes); }
  std::span<std::byte> placeOf(std::size_t piece) const {
    return memory.bytes().subspan(piece % copied.size() * placeBytes, sizeOf(piece));
  }

  Result<void> copyAll() {
    Prefetch<Result<void>> readers({
        .count = pieces,
        .threads = kReaders,
        .maxBytes = kReaders * kPieceBytes,
        .bytesOf = [&](std::size_t piece) { return sizeOf(piece); },
        .make = [&](std::size_t piece) { return engine.readWeights(piece * kPieceBytes, placeOf(piece)); },
    });
    schema::Hasher hasher;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      // next() begins to read as far as the piece before whose place this one had kPieces ago.
      if (const std::size_t last = piece + kReaders - 1; last >= copied.size())
        LLCUDA_RETURN_IF_ERROR(copied[last % copied.size()].synchronize());
      LLCUDA_RETURN_IF_ERROR(readers.next());
      hasher.update(placeOf(piece));
      LLCUDA_RETURN_IF_ERROR(copy(piece));
    }
    return engine.checkWeights(hasher.value());
  }

  Result<void> copy(std::size_t piece) {
    const uint64_t begin = piece * kPieceBytes, end = begin + sizeOf(piece);
    for (const Range& range : ranges)
      if (range.begin < end && range.end > begin) {
        const uint64_t from = std::max(range.begin, begin), to = std::min(range.end, end);
        LLCUDA_RETURN_IF_ERROR(
            stream.copyToDevice(range.to + (from - range.begin), placeOf(piece).subspan(from - begin, to - from)));
      }
    return stream.record(copied[piece % copied.size()]);
  }

  const Engine& engine;
  const cuda::Stream& stream;
  std::vector<Range> ranges;
  uint64_t bytes;
  std::size_t pieces;
  uint64_t placeBytes;
  cuda::PinnedMemory memory;
  std::vector<cuda::Event> copied; ///< out of each place
};

} // namespace

Result<void> uploadWeights(const Engine& engine, std::span<const cuda::CUdeviceptr> addresses,
                           const std::shared_ptr<const cuda::Context>& context, const cuda::Stream& stream) {
  if (engine.segment(schema::SegmentKind::kWeights).empty())
    return engine.checkWeights();
  return Upload(engine, addresses, stream).run(context);
}

} // namespace llcuda
