// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/slot_samplers.h"

#include <algorithm>
#include <cassert>

namespace llcuda {
namespace {

constexpr std::size_t kPieceBytes = 16384; ///< of one upload

uint32_t bufferOf(const Engine& engine, fb::IoRole role) {
  const auto& buffers = *engine.metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b)
    if (buffers[b]->role() == role)
      return b;
  return UINT32_MAX;
}

} // namespace

SlotSamplers::SlotSamplers(const Engine& engine, uint32_t slots)
    : buffers{bufferOf(engine, fb::IoRole::samplers), bufferOf(engine, fb::IoRole::history),
              bufferOf(engine, fb::IoRole::logit_biases), bufferOf(engine, fb::IoRole::dry_breakers),
              bufferOf(engine, fb::IoRole::masks)},
      context(engine.metadata().max_context()),
      words(static_cast<std::size_t>(tokenBitWords(static_cast<int>(engine.model().vocabulary())))), known(slots) {}

Result<void> SlotSamplers::upload(const cuda::Stream& stream, const Program& program, cuda::CUdeviceptr to,
                                  std::span<const std::byte> bytes) {
  if (!staging) {
    LLCUDA_ASSIGN_OR_RETURN(staging, Staging::create(program.device().context, kPieceBytes));
  }
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const Upload piece = {to + at, bytes.subspan(at, std::min(kPieceBytes, bytes.size() - at))};
    LLCUDA_RETURN_IF_ERROR(staging->upload(stream, {&piece, 1}));
  }
  return {};
}

Result<void> SlotSamplers::start(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                                 uint32_t slot, const Sampler& sampler, std::span<const int32_t> tokens,
                                 const SamplerState& state) {
  Slot& told = known[slot];
  told.reports = sampler.learns() || sampler.program.reportsTop != 0;
  if (!isThere()) // of a chain there is nothing but the seed
    return {};
  LLCUDA_RETURN_IF_ERROR(clearMask(stream, program, memory, slot));
  SamplerProgram record = sampler.program;
  record.biasCount = static_cast<uint32_t>(sampler.biases.size());
  std::ranges::copy(state.values, record.state);
  LLCUDA_RETURN_IF_ERROR(upload(stream, program, memory.address(buffers.samplers) + slot * sizeof(record),
                                std::as_bytes(std::span(&record, 1))));
  LLCUDA_RETURN_IF_ERROR(upload(stream, program,
                                memory.address(buffers.biases) + slot * kLogitBiases * sizeof(LogitBias),
                                std::as_bytes(std::span(sampler.biases))));
  if (sampler.breakers && told.breakers != sampler.breakers) {
    LLCUDA_RETURN_IF_ERROR(upload(stream, program,
                                  memory.address(buffers.breakers) + slot * sampler.breakers->size() * sizeof(uint32_t),
                                  std::as_bytes(std::span(*sampler.breakers))));
    told.breakers = sampler.breakers;
  }
  if (record.usesPast == 0)
    return {};
  const std::size_t wanted = std::min<std::size_t>(tokens.size(), std::max(record.penaltyTokens, record.dryTokens));
  const std::size_t first = tokens.size() - wanted;
  return writeHistory(stream, program, memory, slot, static_cast<uint32_t>(first), tokens.subspan(first));
}

Result<void> SlotSamplers::writeHistory(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                                        uint32_t slot, uint32_t first, std::span<const int32_t> tokens) {
  if (!isThere())
    return {};
  return upload(stream, program, memory.address(buffers.history) + (uint64_t{slot} * context + first) * sizeof(int32_t),
                std::as_bytes(tokens));
}

Result<void> SlotSamplers::writeMask(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                                     uint32_t slot, std::span<const uint32_t> mask) {
  assert(isThere() && mask.size() == words);
  if (!maskStaging) {
    // Masks of two steps may be on their way.
    const auto entries = std::max(2 * known.size(), Staging::kEntries);
    LLCUDA_ASSIGN_OR_RETURN(maskStaging,
                            Staging::create(program.device().context, (1 + words) * sizeof(uint32_t), entries));
  }
  const uint32_t counts = 1;
  const cuda::CUdeviceptr to = maskOf(memory, slot);
  const Upload uploads[] = {{to, std::as_bytes(std::span(&counts, 1))}, {to + sizeof(counts), std::as_bytes(mask)}};
  LLCUDA_RETURN_IF_ERROR(maskStaging->upload(stream, std::span(uploads).subspan(known[slot].hasMask ? 1 : 0)));
  known[slot].hasMask = true;
  return {};
}

Result<void> SlotSamplers::clearMask(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                                     uint32_t slot) {
  if (!known[slot].hasMask)
    return {};
  known[slot].hasMask = false;
  const uint32_t counts = 0;
  return upload(stream, program, maskOf(memory, slot), std::as_bytes(std::span(&counts, 1)));
}

} // namespace llcuda
