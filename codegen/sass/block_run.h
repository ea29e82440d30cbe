// SPDX-License-Identifier: Apache-2.0
// Which addresses the warps of a block access: their integer instructions are carried out, from the numbers of threads
// and blocks and the launch's parameters on, lane by lane. What memory, shuffles and floating point give is not known;
// neither is what is made of it. A branch whose predicate is not known goes on with what follows it.
//
// A warp's access takes the path of shared memory and L1 as its addresses have it. The lanes go in groups whose bytes
// are 128: 32 lanes of 4 bytes or fewer, 16 of 8, 8 of 16. A group of a global access takes the path for each piece of
// a line that it touches, a piece as wide as the path, and for no less than 128 bytes; a group of a shared access takes
// 128 bytes for each of the words that one bank has to give.
//
// Sources: on an H200, whose path is as wide as a line, ncu counted 401 wavefronts of global loads for 524,288
// multiply-adds of the Q4_K prompt linear (gate and up, 28,672 outputs, 512 rows) and 528 of shared memory, 625 and 505
// of the Q6_K one (down); this counts 395, 518, 645, 505 (measured_kernels_test.cpp). That a Turing multiprocessor,
// whose path is half a line, takes it once for a half that is touched alone, is assumed.
#pragma once

#include <array>
#include <map>

#include "codegen/sass/sass_listing.h"

namespace llcuda::codegen {

struct SassLaunch {
  std::array<uint32_t, 3> block = {32, 1, 1};
  std::map<uint32_t, uint32_t> constants; ///< of bank 0 by offset: parameters, and what else a kernel reads of it
};

/// What was carried out of a listing.
struct BlockRun {
  std::vector<double> executions; ///< of each instruction, by a warp
  std::vector<uint32_t> trace;    ///< places of the first warp's instructions, in order
  double loadShare = 1;           ///< of the bytes that lanes load from global memory: sectors that the block reads
};

/// Runs the first block's warps, each up to a number of instructions, and notes in the listing what its accesses take,
/// those whose addresses are known.
BlockRun runBlock(SassListing& listing, const SassLaunch& launch);

/// The instructions of a turn of a loop as the first warp ran it: an outer loop has its inner ones' turns in it. As
/// they stand, where it did not run twice.
std::vector<SassInstruction> turnOf(const SassListing& listing, const SassLoop& loop, const BlockRun& run);

/// Bytes of the path that a group's global access takes, where a cycle has `path` of them.
double globalAccessBytes(std::span<const uint64_t> addresses, uint32_t width, uint32_t path);
/// Of a shared access.
double sharedAccessBytes(std::span<const uint64_t> addresses, uint32_t width);

} // namespace llcuda::codegen
