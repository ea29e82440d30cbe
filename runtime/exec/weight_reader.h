// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/engine/engine.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda {

/// Reads the weights that an engine holds, a piece at a time and in order, into places of a memory, on several threads
/// that check the hash of what they read. A piece's place is written again after release() alone. The destructor ends
/// the threads, each after the piece that it reads.
class WeightReader {
public:
  /// Bytes of a piece: as the engine cuts its weights, or, where it does not, the same size.
  static uint64_t pieceBytes(const Engine& engine);

  /// `memory` has whole places of pieceBytes(), one for each thread at least, or room for all weights. Both outlive the
  /// object.
  WeightReader(const Engine& engine, std::span<std::byte> memory, unsigned threads);
  WeightReader(const WeightReader&) = delete;
  WeightReader& operator=(const WeightReader&) = delete;
  ~WeightReader();

  std::size_t pieces() const { return count; }
  std::size_t places() const { return states.size(); }
  /// The next piece; called pieces() times at most. kBadInput: damaged, or cannot be read.
  Result<std::span<const std::byte>> next();
  /// The oldest piece that next() gave and that is not released needs its place no longer.
  void release();
  /// After the last piece, for an engine whose pieces have no hashes: whether that of all of them is right.
  Result<void> finish() const;

private:
  void readPieces(const std::stop_token& stop);
  Result<void> read(std::size_t piece) const;
  std::span<std::byte> placeOf(std::size_t piece) const;

  const Engine& engine;
  std::span<std::byte> memory;
  uint64_t bytes, size; ///< of all weights, of a piece
  std::size_t count;
  std::optional<schema::Hasher> hasher; ///< where pieces have no hashes of their own

  std::mutex mutex;
  std::condition_variable_any changed;
  std::size_t begun = 0, taken = 0, released = 0;  ///< pieces
  std::vector<std::optional<Result<void>>> states; ///< of each place: how reading its piece ended
  std::vector<std::jthread> threads;               ///< the last member: they use the others
};

} // namespace llcuda
