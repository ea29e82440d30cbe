// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "codegen/spec/tile_table.h"
#include "tools/llcuda-tune/rounds.h"

namespace llcuda::tune {

/// The best tiles of launches that take at least `minGain` per cent less with them.
codegen::TileTable tilesOf(const Tuning& tuning, double minGain);

/// A line of Markdown for each launch: its chosen and its best tile, their times, what `minGain` lets into the table;
/// then what that saves of each phase.
std::string reportOf(const Tuning& tuning, double minGain);

} // namespace llcuda::tune
