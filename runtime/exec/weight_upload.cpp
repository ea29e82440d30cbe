// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/weight_upload.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "runtime/cuda/memory.h"
#include "runtime/exec/weight_reader.h"

namespace llcuda {
namespace {

constexpr unsigned kCopies = 4; // pieces that are on their way to the device at a time

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

/// Threads that read: as many as a disk that is read by several at once wants, also where there are fewer processors.
unsigned readers() {
  return std::clamp(std::thread::hardware_concurrency(), 4u, 8u);
}

class Upload {
public:
  Upload(const Engine& engine, std::span<const cuda::CUdeviceptr> addresses, const cuda::Stream& stream)
      : engine(engine), stream(stream), ranges(rangesOf(engine, addresses)) {}

  Result<void> run(const std::shared_ptr<const cuda::Context>& context) {
    const uint64_t bytes = engine.segment(schema::SegmentKind::kWeights).size();
    const uint64_t pieceBytes = WeightReader::pieceBytes(engine);
    const uint64_t places = std::min<uint64_t>((bytes + pieceBytes - 1) / pieceBytes, readers() + kCopies);
    LLCUDA_ASSIGN_OR_RETURN(
        const auto memory,
        cuda::PinnedMemory::allocate(context, std::min(bytes, places * pieceBytes), "the weights on their way"));
    for (unsigned i = 0; i < kCopies; ++i) {
      LLCUDA_ASSIGN_OR_RETURN(auto event, cuda::Event::create(context));
      copied.push_back(std::move(event));
    }
    WeightReader reader(engine, memory.bytes(), readers());
    const Result<void> done = copyAll(reader, pieceBytes);
    const Result<void> idle = stream.synchronize(); // also when a piece failed: copies read the memory
    LLCUDA_RETURN_IF_ERROR(done);
    return idle;
  }

private:
  Result<void> copyAll(WeightReader& reader, uint64_t pieceBytes) {
    for (std::size_t piece = 0; piece < reader.pieces(); ++piece) {
      if (piece >= kCopies) {
        LLCUDA_RETURN_IF_ERROR(copied[piece % kCopies].synchronize());
        reader.release();
      }
      LLCUDA_ASSIGN_OR_RETURN(const auto bytes, reader.next());
      LLCUDA_RETURN_IF_ERROR(copy(piece * pieceBytes, bytes));
      LLCUDA_RETURN_IF_ERROR(stream.record(copied[piece % kCopies]));
    }
    return reader.finish();
  }

  /// Bytes of the segment from `begin` on.
  Result<void> copy(uint64_t begin, std::span<const std::byte> bytes) const {
    const uint64_t end = begin + bytes.size();
    for (const Range& range : ranges)
      if (range.begin < end && range.end > begin) {
        const uint64_t from = std::max(range.begin, begin), to = std::min(range.end, end);
        LLCUDA_RETURN_IF_ERROR(
            stream.copyToDevice(range.to + (from - range.begin), bytes.subspan(from - begin, to - from)));
      }
    return {};
  }

  const Engine& engine;
  const cuda::Stream& stream;
  std::vector<Range> ranges;
  std::vector<cuda::Event> copied; ///< each of the last kCopies pieces
};

} // namespace

Result<void> uploadWeights(const Engine& engine, std::span<const cuda::CUdeviceptr> addresses,
                           const std::shared_ptr<const cuda::Context>& context, const cuda::Stream& stream) {
  if (engine.segment(schema::SegmentKind::kWeights).empty())
    return engine.check(schema::SegmentKind::kWeights);
  return Upload(engine, addresses, stream).run(context);
}

} // namespace llcuda
