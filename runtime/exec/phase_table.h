// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/engine/engine.h"
#include "runtime/exec/prompt_runs.h"

namespace llcuda {

/// A phase, and the buffer of each io role that its launches name.
struct PhaseIo {
  static constexpr uint32_t kNone = UINT32_MAX;

  const fb::Phase* phase = nullptr;
  std::array<uint32_t, static_cast<std::size_t>(fb::IoRole::MAX) + 1> buffers;

  uint32_t buffer(fb::IoRole role) const { return buffers[static_cast<std::size_t>(role)]; }
};

/// The phases of an engine: those that feed back, of which an encoder has none, and the others, each by rising number
/// of rows.
class PhaseTable {
public:
  explicit PhaseTable(const Engine& engine);

  std::span<const PhaseIo> decode() const { return decodePhases; }
  std::span<const PhaseIo> prompt() const { return promptPhases; }
  std::span<const PromptShape> promptShapes() const { return shapes; }
  /// Index in decode() of the narrowest phase with at least `rows` rows; there is one up to max_batch.
  uint32_t decodeFor(uint32_t rows) const;
  uint32_t maxRows() const;
  uint32_t maxOutputs() const;
  uint32_t maxBlocks() const; ///< of the rows of a prompt phase

private:
  std::vector<PhaseIo> decodePhases, promptPhases;
  std::vector<PromptShape> shapes; // of promptPhases
};

} // namespace llcuda
