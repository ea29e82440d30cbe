// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_table.h"

#include <algorithm>

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
    (phase->kind() == fb::PhaseKind::decode ? decodePhases : promptPhases).push_back(ioOf(engine, *phase));
  const auto rows = [](const PhaseIo& io) { return io.phase->rows(); };
  std::ranges::sort(decodePhases, {}, rows);
  std::ranges::sort(promptPhases, {}, rows);
  std::ranges::transform(promptPhases, std::back_inserter(promptRowCounts), rows);
}

uint32_t PhaseTable::decodeFor(uint32_t rows) const {
  uint32_t index = 0;
  while (decodePhases[index].phase->rows() < rows) ++index;
  return index;
}

uint32_t PhaseTable::maxRows() const {
  return std::max(decodePhases.back().phase->rows(), promptPhases.back().phase->rows());
}

uint32_t PhaseTable::maxOutputs() const {
  return decodePhases.back().phase->rows();
}

} // namespace llcuda
