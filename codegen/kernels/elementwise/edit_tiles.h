// SPDX-License-Identifier: Apache-2.0
// The block of apply_edits, for the kernel and for who launches it.
#pragma once

namespace llcuda {

constexpr int kEditThreads = 64; ///< at least as many as rows are edited

} // namespace llcuda
