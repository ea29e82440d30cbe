// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/result.h"
#include "runtime/schema/engine_file.h"

namespace llcuda {

using EngineSegments = std::array<std::span<const std::byte>, schema::kSegmentCount>;

struct EngineFile {
  EngineSegments segments;
  std::array<uint64_t, schema::kSegmentCount> xxh3{}; ///< what that of each segment has to be
};

/// Checks the first page of an engine file and its size, and gives the segments, whose bytes are not read. `name` is
/// for messages; each way of being wrong has a sentence of its own, with what to do about it.
Result<EngineFile> readSegments(std::span<const std::byte> file, const std::string& name);

Error damagedSegment(const std::string& name, schema::SegmentKind kind);

} // namespace llcuda
