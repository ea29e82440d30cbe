// SPDX-License-Identifier: Apache-2.0
// An engine file, opened: mapped, hashed, verified. What holds an Engine indexes without checking. The weights, which
// nothing indexes by, are hashed on their way to a device.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/mapped_file.h"
#include "runtime/base/result.h"
#include "runtime/engine/header.h"
#include "runtime/schema/engine_file.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda {

/// When the bytes of an engine file are compared with its hashes.
enum class Verify : int {
  kFull = 0, ///< all but the weights when it is opened, and these before anything runs
  kLazy = 1, ///< of each segment when it is used first: check()
};

class Engine {
public:
  /// Maps the file and checks header, sizes, the XXH3 of the metadata, every number in them and, with kFull, the XXH3
  /// of every other segment but the weights. kBadInput: not an engine, or a damaged one. kUnsupported: an engine of
  /// another version.
  static Result<Engine> open(const std::string& path, Verify verify = Verify::kFull);

  /// The same, and the weights too, over bytes in memory, which must stay valid and unchanged while the Engine lives
  /// and start at an address that is a multiple of 16. `name` stands for the path in messages.
  static Result<Engine> view(std::span<const std::byte> bytes, std::string name);

  /// Whether a segment's bytes are those that were written, by reading all of them the first time. Whoever uses bytes
  /// of a segment calls it before. Any thread; kBadInput.
  Result<void> check(schema::SegmentKind kind) const;
  /// The same of the weights by the XXH3 of what was read: all bytes of the segment, in order.
  Result<void> checkWeights(uint64_t xxh3) const;
  /// Bytes of the pieces whose hashes checkWeightPiece() knows; 0: it knows none.
  uint32_t weightPieceBytes() const { return root->weight_pieces() ? root->weight_piece_bytes() : 0; }
  /// Whether these are the bytes of that piece of the weights, from piece * weightPieceBytes() on. Any thread.
  Result<void> checkWeightPiece(std::size_t piece, std::span<const std::byte> bytes) const;
  /// Copies bytes of the weights' segment from `offset` on; see MappedFile::read(). Any thread.
  Result<void> readWeights(uint64_t offset, std::span<std::byte> to) const;
  /// Has the system begin to read bytes of a segment, from its `offset` on. Any thread.
  void readAhead(schema::SegmentKind kind, uint64_t offset, uint64_t bytes) const;

  const fb::Engine& metadata() const { return *root; }
  const fb::Model& model() const { return *root->model(); }
  const std::string& path() const { return name; }

  /// Bytes of a segment, without padding.
  std::span<const std::byte> segment(schema::SegmentKind kind) const {
    return file.segments[static_cast<std::size_t>(kind)];
  }
  std::span<const std::byte> image(const fb::Image& image) const;
  uint64_t fileBytes() const { return bytesOfFile.size(); }
  /// Of the first page, which holds the hashes of all segments: another one for every other engine.
  uint64_t headerHash() const { return hashOfHeader; }
  /// Bytes of all weights on the device: those of the segment, and behind it those that come from source files.
  uint64_t weightBytes() const;
  /// tokenizer.json; empty for a model without a vocabulary.
  std::string_view tokenizerJson() const;
  /// The text configuration (runtime/text/text_config.h); empty in an engine without a text section.
  std::string_view textConfig() const;

  /// Whether it can continue a text; kUnsupported for an encoder, which makes embeddings alone.
  Result<void> checkGenerates() const;

  /// True when every kernel has an image of this kind.
  bool hasImages(fb::ImageKind kind) const;

  /// Encoding of the cache's keys or values, "q8_0"; zero-terminated; empty in an engine without a cache.
  std::string_view cacheType(fb::KvPart part) const;

  /// Entries in a row of the block table: pages of `max_context` positions.
  uint32_t maxPages() const;

private:
  Engine() = default;
  Result<void> verify(Verify verify);
  uint64_t offsetOf(schema::SegmentKind kind) const {
    return static_cast<uint64_t>(segment(kind).data() - bytesOfFile.data());
  }

  std::string name;
  MappedFile mapped;
  std::span<const std::byte> bytesOfFile;
  EngineFile file;
  const fb::Engine* root = nullptr;
  uint64_t hashOfHeader = 0;
  /// Segments that are known to be sound.
  std::unique_ptr<std::array<std::atomic<bool>, schema::kSegmentCount>> sound;
};

} // namespace llcuda
