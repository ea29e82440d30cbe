// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_table.h"

#include <algorithm>

#include "runtime/schema/phase_facts.h"

namespace llcuda {
namespace {

PhaseIo ioOf(const Engine& engine, const fb::Phase& phase) {
  PhaseIo io;
  io.phase = &phase;
  io.buffers.fill(PhaseIo::kNone);
  for (const fb::Launch* launch : *phase.launches())
    for (const fb::Argument* argument : *launch->arguments())
      io.buffers[static_cast<std::size_t>(engine.metadata().buffers()->Get(argument->buffer())->role())] =
          argument->buffer();
  io.buffers[static_cast<std::size_t>(fb::IoRole::none)] = PhaseIo::kNone;
  return io;
}

} // namespace

PhaseTable::PhaseTable(const Engine& engine) {
  for (const fb::Phase* phase : *engine.metadata().phases())
    (isPrompt(*phase) ? promptPhases : decodePhases).push_back(ioOf(engine, *phase));
  const auto rows = [](const PhaseIo& io) { return io.phase->rows(); };
  std::ranges::sort(decodePhases, {}, rows);
  std::ranges::sort(promptPhases, {}, rows);
  const bool whole = engine.model().encoder();
  for (const PhaseIo& io : promptPhases)
    shapes.push_back({io.phase->rows(), io.phase->row_block(),
                      outputsOf(*io.phase, whole ? fb::TailKind::pool : fb::TailKind::sample),
                      outputsOf(*io.phase, fb::TailKind::score), whole});
}

uint32_t PhaseTable::decodeFor(uint32_t rows) const {
  uint32_t index = 0;
  while (decodePhases[index].phase->rows() < rows) ++index;
  return index;
}

uint32_t PhaseTable::maxRows() const {
  return std::max(decodePhases.empty() ? 0 : decodePhases.back().phase->rows(), promptPhases.back().phase->rows());
}

uint32_t PhaseTable::maxOutputs() const {
  uint32_t outputs = 0;
  for (const auto* phases : {&decodePhases, &promptPhases})
    for (const PhaseIo& io : *phases) outputs = std::max(outputs, outputsOf(*io.phase));
  return outputs;
}

uint32_t PhaseTable::maxBlocks() const {
  uint32_t blocks = 0;
  for (const PhaseIo& io : promptPhases) blocks = std::max(blocks, rowBlocks(*io.phase));
  return blocks;
}

} // namespace llcuda
