// SPDX-License-Identifier: Apache-2.0
// A hand-made engine that needs no compiler: a model whose next token is a hash of all tokens before it, so that a
// cache, page, position or row that goes astray changes the text. Its kernels: toy_image.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/schema/engine_file.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::toy {

inline constexpr uint32_t kVocabulary = 97;
inline constexpr uint32_t kPageTokens = 4;
inline constexpr uint32_t kMaxContext = 30;
inline constexpr uint32_t kMaxPages = 8;
inline constexpr uint32_t kMaxBatch = 2;
inline constexpr uint32_t kWideBatch = 8; ///< that an engine may have instead
/// Rows of a prompt phase that belong to one slot.
inline constexpr uint32_t kRowBlock = 4;
/// Positions that a row sees of the pool of values, which holds positions; of the other it sees all.
inline constexpr uint32_t kWindow = 6;
inline constexpr uint32_t kHeadSize = 8;
/// Rows of a prompt phase that are scored at a time.
inline constexpr uint32_t kScoredRows = 3;
/// A row of this seed has no numbers from kBrokenPosition on.
inline constexpr uint64_t kBrokenSeed = 0xbad;
inline constexpr uint32_t kBrokenPosition = 8;
/// Log-probabilities fall by this from one rank to the next.
inline constexpr float kLogitStep = 0.6f;

/// An engine before it is a file: change what a test is about, then write it.
struct ToyEngine {
  fb::EngineT metadata;
  std::vector<std::byte> images, text, constants, weights;
};

/// A sound engine. `hostImage`: the bytes of the built toy_image.cpp; left out, the engine opens but cannot run.
/// `maxBatch`: a power of 2, at most kWideBatch.
ToyEngine toyEngine(std::span<const std::byte> hostImage = {}, uint32_t maxBatch = kMaxBatch);

/// Decode phases with all that sampling by a chain has: rows with a chain sample the best token that the mask of their
/// slot allows.
void addMasks(ToyEngine& engine);

/// Bytes of a weight that is read from a file: a tile of rows of 32 columns of f32.
inline constexpr uint64_t kReferredBytes = 4096;

/// Takes the weight, filled up with zeros, out of the engine: it is to be read from byte 64 on of a file at `path`,
/// whose bytes are given back.
std::vector<std::byte> referWeights(ToyEngine& engine, const std::string& path);

/// The file's bytes, put together here and not by the writer under test.
std::vector<std::byte> fileBytes(const ToyEngine& engine);

/// The metadata segment's bytes.
std::vector<std::byte> metadataBytes(const fb::EngineT& metadata);

/// A file around these segments, with right hashes.
std::vector<std::byte> fileOf(const std::array<std::span<const std::byte>, schema::kSegmentCount>& segments);

/// Sets the header's own hash right again.
void sealHeader(std::span<std::byte> file);
/// Sets the metadata segment's hash right again, if the segment lies in the file, then the header's.
void sealMetadata(std::span<std::byte> file);

std::vector<std::byte> readFile(const std::string& path);
void writeFile(const std::string& path, std::span<const std::byte> bytes);

/// What the toy model says next without a chain, and its logits, from the formula.
int32_t nextToken(std::span<const int32_t> tokens);
std::vector<float> logits(std::span<const int32_t> tokens);
/// `count` greedy tokens after `prompt`.
std::vector<int32_t> continuation(std::vector<int32_t> prompt, std::size_t count);
/// What the toy sampler draws with a chain, at the position of the last token.
int32_t drawnToken(uint64_t seed, uint64_t position);

} // namespace llcuda::toy
