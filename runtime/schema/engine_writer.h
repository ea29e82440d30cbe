// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/result.h"
#include "runtime/schema/engine_file.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda::schema {

/// Writes an engine file front to back: begin() the segments in SegmentKind order (one left out is empty), append()
/// their bytes in pieces of any size, finish(). The bytes go to a temporary name beside the target; finish() syncs and
/// renames, so under the target's name lies a whole file or what was there before. An object destroyed before finish()
/// leaves nothing behind. Memory used does not grow with the file.
class EngineWriter {
public:
  /// Fails with kBadInput when the folder does not exist or cannot be written.
  static Result<EngineWriter> create(const std::string& path);

  EngineWriter(EngineWriter&& other) noexcept;
  EngineWriter& operator=(EngineWriter&& other) noexcept;
  ~EngineWriter();

  Result<void> begin(SegmentKind kind);
  Result<void> append(std::span<const std::byte> bytes);
  /// Zeros up to the next multiple of `alignment` from the segment's start.
  Result<void> alignTo(uint64_t alignment);
  /// Bytes appended to the current segment so far: the offset of what comes next.
  uint64_t segmentBytes() const;
  Result<void> finish();

private:
  EngineWriter() = default;
  Result<void> writeAll(const void* bytes, std::size_t count);
  Result<void> pad(uint64_t count);
  void endSegment();
  Error ioError(const char* what) const;

  std::string target;
  std::string temporary;
  int fd = -1;
  uint64_t position = 0; // in the file
  int32_t current = -1;  // segment being written
  EngineHeader header = {};
  Hasher hasher;
};

} // namespace llcuda::schema
