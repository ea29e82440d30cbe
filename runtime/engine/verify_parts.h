// SPDX-License-Identifier: Apache-2.0
// The parts of verifyMetadata(), and the limits they share. A part may rely on those that stand above it here.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"
#include "runtime/engine/header.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::verify {

inline constexpr uint64_t kMaxMetadataBytes = uint64_t{256} << 20;
inline constexpr uint32_t kMaxContext = 1u << 24;
inline constexpr uint32_t kMaxBatch = 1024;
inline constexpr uint32_t kMaxPageTokens = 4096;
inline constexpr uint32_t kMaxLayers = 4096;
inline constexpr uint32_t kMaxVocabulary = 1u << 24;
inline constexpr uint32_t kMaxDimension = 1u << 24;
inline constexpr uint32_t kMaxKernels = 1u << 16;
inline constexpr uint32_t kMaxParams = 64;
inline constexpr uint32_t kMaxNameBytes = 256;
inline constexpr uint32_t kMaxBuffers = 1u << 20;
inline constexpr uint64_t kMaxBufferBytes = uint64_t{1} << 40;
inline constexpr uint64_t kMaxPageBytes = uint64_t{1} << 30; // of all pools together, one page of each
inline constexpr uint32_t kMinPieceBytes = 64u << 10, kMaxPieceBytes = 16u << 20; // of weights, which a reader holds
inline constexpr uint32_t kMaxSourceFiles = 4096;
inline constexpr uint32_t kMaxPathBytes = 4096;
inline constexpr uint32_t kMaxPhases = 64;
inline constexpr uint32_t kMaxRows = 1u << 16;
inline constexpr uint32_t kMaxLaunches = 1u << 16;
inline constexpr uint32_t kMaxGoldenTokens = 4096;
inline constexpr uint32_t kMaxGoldenPrompts = 256;
inline constexpr uint32_t kGoldenTop = 5;
inline constexpr uint32_t kMaxTexts = 4096; // of the tokenizer's vectors

// Limits of SM 7.5.
inline constexpr uint32_t kMaxThreads = 1024;
inline constexpr uint32_t kWarpThreads = 32;
inline constexpr uint32_t kMaxSharedBytes = 64u << 10;
inline constexpr uint32_t kMaxRegisters = 255;
inline constexpr uint32_t kRegistersPerSm = 65536;
inline constexpr uint32_t kMaxGridX = 0x7fffffff;
inline constexpr uint32_t kMaxGridYZ = 65535;

template <typename... Parts>
Error corrupt(const Parts&... parts) {
  return badInput("metadata: ", parts...);
}

/// [offset, offset + bytes) lies within `size` bytes; no sum that could wrap.
inline bool spanFits(uint64_t offset, uint64_t bytes, uint64_t size) {
  return bytes <= size && offset <= size - bytes;
}

/// The FlatBuffers verifier checks where a vector starts, not whether its structs are aligned as their members need.
template <typename Struct>
bool isAligned(const flatbuffers::Vector<const Struct*>& structs) {
  return reinterpret_cast<uintptr_t>(structs.Data()) % alignof(Struct) == 0;
}

Result<void> verifyModel(const fb::Engine& engine);
Result<void> verifyText(const fb::Engine& engine, const EngineSegments& segments);
Result<void> verifyGolden(const fb::Engine& engine);
Result<void> verifyVectors(const fb::Engine& engine);
Result<void> verifyKernels(const fb::Engine& engine, const EngineSegments& segments);
Result<void> verifyBuffers(const fb::Engine& engine, const EngineSegments& segments);
Result<void> verifyPhases(const fb::Engine& engine);
Result<void> verifySources(const fb::Engine& engine, const EngineSegments& segments);
Result<void> verifyPieces(const fb::Engine& engine, const EngineSegments& segments);

} // namespace llcuda::verify
