// SPDX-License-Identifier: Apache-2.0
// A model's linears with one tile after another.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "codegen/spec/tile_table.h"
#include "tools/llcuda-tune/measure.h"
#include "tools/llcuda-tune/options.h"

namespace llcuda::tune {

/// The launches of one request, and tiles for them. Times are microseconds of a launch.
template <typename Request, typename Tile>
struct Subject {
  Request request;
  std::set<std::string> ops; ///< of its kernels
  uint64_t launches = 0;     ///< in a measurement
  Tile chosen, best;
  double chosenTime = 0, bestTime = 0;
  std::vector<Tile> candidates; ///< to be measured
};

struct Tuning {
  Measurement first; ///< with the chosen tiles
  std::vector<Subject<codegen::DecodeTileRequest, codegen::DecodeTile>> decode;
  std::vector<Subject<codegen::PromptTileRequest, codegen::PromptTile>> prompt;
  codegen::TileRequests requests; ///< of the kernels with the chosen tiles

  /// Calls f with every subject.
  template <typename F>
  void forEach(F f) {
    for (auto& subject : decode) f(subject);
    for (auto& subject : prompt) f(subject);
  }
  template <typename F>
  void forEach(F f) const {
    for (const auto& subject : decode) f(subject);
    for (const auto& subject : prompt) f(subject);
  }
};

/// Compiles and measures the model with the chosen tiles, with other shapes, with other occupancies of the best of
/// them, and with the chosen ones again: of their two times the shorter counts. Engines lie in `folder`, one at a time.
/// Candidates that do not compile are left out with a warning; says on standard error how far it is.
Result<Tuning> tune(const Options& options, const std::string& folder);

} // namespace llcuda::tune
