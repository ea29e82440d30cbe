// SPDX-License-Identifier: Apache-2.0
#include "runtime/schema/engine_hash.h"

#include <algorithm>
#include <new>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace llcuda::schema {
namespace {

XXH3_state_t* stateOf(void* state) {
  return static_cast<XXH3_state_t*>(state);
}

} // namespace

Hasher::Hasher() : state(XXH3_createState()) {
  if (!state)
    throw std::bad_alloc();
  reset();
}

Hasher::Hasher(Hasher&& other) noexcept : state(std::exchange(other.state, nullptr)) {}

Hasher& Hasher::operator=(Hasher&& other) noexcept {
  std::swap(state, other.state);
  return *this;
}

Hasher::~Hasher() {
  XXH3_freeState(stateOf(state));
}

void Hasher::reset() {
  XXH3_64bits_reset(stateOf(state));
}

void Hasher::update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(stateOf(state), bytes.data(), bytes.size());
}

uint64_t Hasher::value() const {
  return XXH3_64bits_digest(stateOf(state));
}

void PieceHasher::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min<uint64_t>(bytes.size(), kWeightPieceBytes - open));
    hasher.update(part);
    open += part.size();
    bytes = bytes.subspan(part.size());
    if (open == kWeightPieceBytes) {
      hashes.push_back(hasher.value());
      hasher.reset();
      open = 0;
    }
  }
}

std::vector<uint64_t> PieceHasher::finish() {
  if (open != 0)
    hashes.push_back(hasher.value());
  hasher.reset();
  open = 0;
  return std::exchange(hashes, {});
}

uint64_t hashHeader(const EngineHeader& header) {
  return XXH3_64bits(&header, offsetof(EngineHeader, xxh3));
}

} // namespace llcuda::schema
