// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/output_file.h"
#include "runtime/base/result.h"
#include "runtime/schema/engine_file.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda::schema {

/// Writes an engine file front to back: begin() the segments in SegmentKind order (one left out is empty), append()
/// their bytes in pieces of any size, finish(). It is an OutputFile: until finish() nothing lies under the target's
/// name but what was there before. Memory used does not grow with the file.
class EngineWriter {
public:
  /// Fails as checkOutput() does.
  static Result<EngineWriter> create(const std::string& path, std::vector<InputFile> inputs = {});

  Result<void> begin(SegmentKind kind);
  Result<void> append(std::span<const std::byte> bytes);
  /// Zeros up to the next multiple of `alignment` from the segment's start.
  Result<void> alignTo(uint64_t alignment);
  /// Bytes appended to the current segment so far: the offset of what comes next.
  uint64_t segmentBytes() const;
  /// Hashes of the pieces of the weights segment, for the metadata; called once, when another segment has begun.
  std::vector<uint64_t> weightPieces() { return pieces.finish(); }
  Result<void> finish();

private:
  explicit EngineWriter(OutputFile file) : file(std::move(file)) {}
  Result<void> pad(uint64_t count);
  void endSegment();

  OutputFile file;
  int32_t current = -1; // segment being written
  EngineHeader header = {};
  Hasher hasher;
  PieceHasher pieces; // of the weights
};

} // namespace llcuda::schema
