// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/weight_reader.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace llcuda {

uint64_t WeightReader::pieceBytes(const Engine& engine) {
  return engine.weightPieceBytes() != 0 ? engine.weightPieceBytes() : schema::kWeightPieceBytes;
}

WeightReader::WeightReader(const Engine& engine, std::span<std::byte> memory, unsigned threadCount)
    : engine(engine), memory(memory), bytes(engine.segment(schema::SegmentKind::kWeights).size()),
      size(pieceBytes(engine)), count((bytes + size - 1) / size),
      states(std::min<std::size_t>(count, (memory.size() + size - 1) / size)) {
  assert(count == 0 || states.size() >= std::min<std::size_t>(count, threadCount));
  if (engine.weightPieceBytes() == 0)
    hasher.emplace();
  for (std::size_t i = 0; i < std::min<std::size_t>(count, threadCount); ++i)
    threads.emplace_back([this](const std::stop_token& stop) { readPieces(stop); });
}

WeightReader::~WeightReader() {
  for (std::jthread& thread : threads) thread.request_stop();
}

std::span<std::byte> WeightReader::placeOf(std::size_t piece) const {
  return memory.subspan(piece % states.size() * size, std::min(size, bytes - piece * size));
}

Result<void> WeightReader::read(std::size_t piece) const {
  const std::span<std::byte> place = placeOf(piece);
  LLCUDA_RETURN_IF_ERROR(engine.readWeights(piece * size, place));
  return hasher ? Result<void>() : engine.checkWeightPiece(piece, place);
}

void WeightReader::readPieces(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  const auto mayGoOn = [&] { return begun == count || begun < released + states.size(); };
  while (changed.wait(lock, stop, mayGoOn) && begun < count && !stop.stop_requested()) {
    const std::size_t piece = begun++;
    lock.unlock();
    Result<void> done = read(piece);
    lock.lock();
    states[piece % states.size()] = std::move(done);
    changed.notify_all();
  }
}

Result<std::span<const std::byte>> WeightReader::next() {
  assert(taken < count && taken < released + states.size());
  const std::size_t piece = taken++;
  {
    std::unique_lock lock(mutex);
    std::optional<Result<void>>& state = states[piece % states.size()];
    changed.wait(lock, [&] { return state.has_value(); });
    Result<void> done = *std::exchange(state, std::nullopt);
    LLCUDA_RETURN_IF_ERROR(std::move(done));
  }
  const std::span<const std::byte> place = placeOf(piece);
  if (hasher)
    hasher->update(place);
  return place;
}

void WeightReader::release() {
  const std::lock_guard lock(mutex);
  assert(released < taken);
  ++released;
  changed.notify_all();
}

Result<void> WeightReader::finish() const {
  assert(taken == count);
  return hasher ? engine.checkWeights(hasher->value()) : Result<void>();
}

} // namespace llcuda
