// SPDX-License-Identifier: Apache-2.0
// XXH3-64 (seed 0), the hash of the header and of every segment of an engine file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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

using llcuda::hashBytes; ///< of bytes that are there at once

/// Of every field before `EngineHeader::xxh3`.
uint64_t hashHeader(const EngineHeader& header);

} // namespace llcuda::schema
