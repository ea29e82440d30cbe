// SPDX-License-Identifier: Apache-2.0
#include "runtime/schema/engine_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace llcuda::schema {
namespace {

uint64_t roundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

} // namespace

Result<EngineWriter> EngineWriter::create(const std::string& path, std::vector<InputFile> inputs) {
  LLCUDA_ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path, std::move(inputs)));
  EngineWriter writer(std::move(file));
  LLCUDA_RETURN_IF_ERROR(writer.pad(kSegmentAlignment));
  return writer;
}

Result<void> EngineWriter::pad(uint64_t count) {
  static constexpr std::array<std::byte, kSegmentAlignment> kZeros = {};
  while (count != 0) {
    const uint64_t piece = std::min<uint64_t>(count, kZeros.size());
    LLCUDA_RETURN_IF_ERROR(file.append({kZeros.data(), piece}));
    count -= piece;
  }
  return {};
}

void EngineWriter::endSegment() {
  if (current >= 0)
    header.segments[current].xxh3 = hasher.value();
}

Result<void> EngineWriter::begin(SegmentKind kind) {
  const auto wanted = static_cast<int32_t>(kind);
  assert(wanted > current && wanted < static_cast<int32_t>(kSegmentCount));
  endSegment();
  LLCUDA_RETURN_IF_ERROR(pad(roundUp(file.bytes(), kSegmentAlignment) - file.bytes()));
  while (current < wanted) header.segments[++current] = {file.bytes(), 0, hashBytes({})};
  hasher.reset();
  return {};
}

Result<void> EngineWriter::append(std::span<const std::byte> bytes) {
  assert(current >= 0);
  LLCUDA_RETURN_IF_ERROR(file.append(bytes));
  hasher.update(bytes);
  if (current == static_cast<int32_t>(SegmentKind::kWeights))
    pieces.update(bytes);
  header.segments[current].bytes += bytes.size();
  return {};
}

Result<void> EngineWriter::alignTo(uint64_t alignment) {
  static constexpr std::array<std::byte, 256> kZeros = {};
  uint64_t count = roundUp(segmentBytes(), alignment) - segmentBytes();
  while (count != 0) {
    const uint64_t piece = std::min<uint64_t>(count, kZeros.size());
    LLCUDA_RETURN_IF_ERROR(append({kZeros.data(), piece}));
    count -= piece;
  }
  return {};
}

uint64_t EngineWriter::segmentBytes() const {
  assert(current >= 0);
  return header.segments[current].bytes;
}

Result<void> EngineWriter::finish() {
  endSegment();
  LLCUDA_RETURN_IF_ERROR(pad(roundUp(file.bytes(), kSegmentAlignment) - file.bytes()));
  while (current + 1 < static_cast<int32_t>(kSegmentCount))
    header.segments[++current] = {file.bytes(), 0, hashBytes({})};

  std::memcpy(header.magic, kEngineMagic, sizeof(kEngineMagic));
  header.version = kEngineVersion;
  header.segmentCount = kSegmentCount;
  header.fileBytes = file.bytes();
  header.xxh3 = hashHeader(header);
  LLCUDA_RETURN_IF_ERROR(file.rewriteStart(std::as_bytes(std::span(&header, 1))));
  return file.commit();
}

} // namespace llcuda::schema
