// SPDX-License-Identifier: Apache-2.0
// XXH3-64 (seed 0), the hash of the header and of every segment of an engine file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/hash.h"
#include "runtime/schema/engine_file.h"

namespace llcuda::schema {

/// Hash of bytes that arrive in pieces: the same value however they are cut.
class Hasher {
public:
  Hasher();
  Hasher(Hasher&& other) noexcept;
  Hasher& operator=(Hasher&& other) noexcept;
  ~Hasher();

  void reset();
  void update(std::span<const std::byte> bytes);
  uint64_t value() const;

private:
  void* state = nullptr;
};

/// Bytes of the pieces of the weights segment whose hashes an engine has: one reader's share at a time.
inline constexpr uint32_t kWeightPieceBytes = 4 << 20;

/// Hashes of pieces of kWeightPieceBytes, the last one of what is left, of bytes that arrive cut in any way.
class PieceHasher {
public:
  void update(std::span<const std::byte> bytes);
  /// Of all that arrived.
  std::vector<uint64_t> finish();

private:
  Hasher hasher;
  uint64_t open = 0; ///< bytes of the piece that is not whole yet
  std::vector<uint64_t> hashes;
};

using llcuda::hashBytes; ///< of bytes that are there at once

/// Of every field before `EngineHeader::xxh3`.
uint64_t hashHeader(const EngineHeader& header);

} // namespace llcuda::schema
