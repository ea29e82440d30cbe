// SPDX-License-Identifier: Apache-2.0
// llama.cpp's linears of many rows (MMQ) in the simulated multiprocessor, accesses by their addresses:
// `tools/dev/t4_peer` prints this table from its sm_75 machine code of May 2026 (PyPI's cyllama-cuda12 0.2.18).
// Predicted, not measured.
#pragma once

#include <string_view>

namespace llcuda::codegen {

struct PeerLoop {
  std::string_view encoding;
  unsigned rows;           ///< of a tile, with 128 outputs
  double cyclesOfUnit = 0; ///< of a multiprocessor for 524,288 multiply-adds
};

inline constexpr PeerLoop kPeerLoops[] = {
    {"q4_k", 16, 5444},  {"q4_k", 32, 3610},  {"q4_k", 64, 2519},  {"q4_k", 128, 1986}, {"q6_k", 16, 7157},
    {"q6_k", 32, 4566},  {"q6_k", 64, 2976},  {"q6_k", 128, 2225}, {"q8_0", 16, 6355},  {"q8_0", 32, 4162},
    {"q8_0", 64, 2733},  {"q8_0", 128, 2024}, {"q4_0", 16, 5587},  {"q4_0", 32, 3779},  {"q4_0", 64, 2519},
    {"q4_0", 128, 1992}, {"q5_k", 16, 5915},  {"q5_k", 32, 3750},  {"q5_k", 64, 2673},  {"q5_k", 128, 2038},
};

inline constexpr unsigned kPeerRowsOfDots = 8; ///< so many llama.cpp multiplies without tensor cores

/// The loop of the smallest tile that holds `rows`, else of the largest; null for an encoding that is not listed.
constexpr const PeerLoop* peerLoop(std::string_view encoding, unsigned rows) {
  const PeerLoop* found = nullptr;
  for (const PeerLoop& loop : kPeerLoops)
    if (loop.encoding == encoding && (!found || found->rows < rows))
      found = &loop;
  return found;
}

} // namespace llcuda::codegen
