// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine/header.h"

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "runtime/schema/engine_hash.h"

namespace llcuda {
namespace {

constexpr std::array<std::string_view, schema::kSegmentCount> kSegmentNames = {"constants", "weights", "text",
                                                                               "kernel images", "metadata"};
constexpr std::string_view kRemedy = "; copy it again or compile it again with llcuda-compile";

/// "version 5", "versions 5 to 6".
std::string readVersions() {
  const std::string newest = std::to_string(schema::kEngineVersion);
  return schema::kOldestEngineVersion == schema::kEngineVersion
             ? "version " + newest
             : "versions " + std::to_string(schema::kOldestEngineVersion) + " to " + newest;
}

bool startsWith(std::span<const std::byte> file, std::string_view text) {
  return file.size() >= text.size() && std::memcmp(file.data(), text.data(), text.size()) == 0;
}

/// What people hand over instead of an engine.
Error notAnEngine(std::span<const std::byte> file, const std::string& name) {
  if (file.empty())
    return badInput(name, ": is empty", kRemedy);
  if (startsWith(file, "GGUF"))
    return badInput(name, ": is a GGUF model, not an engine; compile it with llcuda-compile");
  if (startsWith(file, "version https://git-lfs"))
    return badInput(name, ": is a Git LFS pointer, not an engine; fetch the file itself with git lfs pull");
  if (startsWith(file, "<"))
    return badInput(name, ": is a web page, not an engine; download the file itself");
  return badInput(name, ": is not an llcuda engine (wrong magic number); make one with llcuda-compile");
}

Result<schema::EngineHeader> readHeader(std::span<const std::byte> file, const std::string& name) {
  schema::EngineHeader header;
  if (!startsWith(file, std::string_view(schema::kEngineMagic, sizeof(schema::kEngineMagic))))
    return notAnEngine(file, name);
  if (file.size() < schema::kSegmentAlignment)
    return badInput(name, ": is truncated inside its first page (", file.size(), " bytes)", kRemedy);
  std::memcpy(&header, file.data(), sizeof(header));
  // Before the hash: another version may have another header.
  if (header.version < schema::kOldestEngineVersion || header.version > schema::kEngineVersion)
    return unsupported(name, ": has engine version ", header.version, ", this program reads ", readVersions(),
                       header.version > schema::kEngineVersion ? "; use a newer llcuda, or" : ";",
                       " compile its model again: llcuda-compile MODEL -o ", name);
  if (header.xxh3 != schema::hashHeader(header))
    return badInput(name, ": its first page is damaged (hash differs)", kRemedy);
  if (header.segmentCount != schema::kSegmentCount)
    return badInput(name, ": names ", header.segmentCount, " segments, version ", schema::kEngineVersion, " has ",
                    schema::kSegmentCount, kRemedy);
  if (file.size() < header.fileBytes)
    return badInput(name, ": is truncated: ", file.size(), " of ", header.fileBytes, " bytes", kRemedy);
  if (file.size() > header.fileBytes)
    return badInput(name, ": has ", file.size() - header.fileBytes, " bytes too many at its end", kRemedy);
  return header;
}

} // namespace

Result<EngineFile> readSegments(std::span<const std::byte> file, const std::string& name) {
  LLCUDA_ASSIGN_OR_RETURN(const schema::EngineHeader header, readHeader(file, name));
  EngineFile read;
  uint64_t end = sizeof(schema::EngineHeader);
  for (uint32_t i = 0; i < schema::kSegmentCount; ++i) {
    const schema::SegmentEntry& entry = header.segments[i];
    if (entry.offset % schema::kSegmentAlignment != 0)
      return badInput(name, ": segment ", kSegmentNames[i], " starts at ", entry.offset,
                      ", which is not a multiple of ", schema::kSegmentAlignment, kRemedy);
    if (entry.offset < end)
      return badInput(name, ": segment ", kSegmentNames[i], " starts inside what comes before it", kRemedy);
    // Not offset + bytes: a hostile file makes the sum wrap.
    if (entry.offset > file.size() || entry.bytes > file.size() - entry.offset)
      return badInput(name, ": segment ", kSegmentNames[i], " ends past the file", kRemedy);
    end = entry.offset + entry.bytes;
    read.segments[i] = file.subspan(entry.offset, entry.bytes);
    read.xxh3[i] = entry.xxh3;
  }
  return read;
}

Error damagedSegment(const std::string& name, schema::SegmentKind kind) {
  return badInput(name, ": segment ", kSegmentNames[static_cast<std::size_t>(kind)], " is damaged (hash differs)",
                  kRemedy);
}

} // namespace llcuda
