// SPDX-License-Identifier: Apache-2.0
// The outer layout of an engine file: one first page that names the segments, then the segments.
//
//   offset 0      EngineHeader, zero padded to 4096 bytes
//   then          segments in SegmentKind order, each at a multiple of 4096, zero padded between
//
// All integers are little-endian. Hashes are XXH3-64 (seed 0).
#pragma once

#include <cstdint>
#include <string>

namespace llcuda::schema {

inline constexpr char kEngineMagic[8] = {'L', 'L', 'C', 'U', 'D', 'A', 'E', '\n'};
/// What is written, and the oldest that is read: that of the minor version before this one (docs/runtime.md, Engines of
/// other versions). A field that an older engine lacks has a default that says what that engine does.
inline constexpr uint32_t kEngineVersion = 6;
inline constexpr uint32_t kOldestEngineVersion = 6;
inline constexpr uint64_t kSegmentAlignment = 4096;
/// Weights, constants and arena buffers start at multiples of this, in their segment and on the device.
inline constexpr uint64_t kBufferAlignment = 256;

/// The next multiple of `alignment` from `bytes` on.
constexpr uint64_t alignUp(uint64_t bytes, uint64_t alignment = kBufferAlignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// What is known before a kernel is compiled comes first, so that it is written while they compile.
enum class SegmentKind : uint32_t {
  kConstants = 0, ///< norm scales, biases, rope tables
  kWeights = 1,   ///< repacked weights, uploaded as they are
  kText = 2,      ///< tokenizer.json and the text configuration
  kImages = 3,    ///< kernel images
  kMetadata = 4,  ///< the FlatBuffer of engine.fbs
};
inline constexpr uint32_t kSegmentCount = 5;

struct SegmentEntry {
  uint64_t offset; ///< from the start of the file, a multiple of kSegmentAlignment
  uint64_t bytes;  ///< without padding; 0 is allowed
  uint64_t xxh3;   ///< of these bytes
};

struct EngineHeader {
  char magic[8];
  uint32_t version;
  uint32_t segmentCount;
  SegmentEntry segments[kSegmentCount];
  uint64_t fileBytes; ///< of the whole file
  uint64_t xxh3;      ///< of the header up to this field
};
static_assert(sizeof(EngineHeader) == 16 + 24 * kSegmentCount + 16);

/// Whether the file begins as an engine does; false also for one that cannot be read.
bool isEngineFile(const std::string& path);

} // namespace llcuda::schema
