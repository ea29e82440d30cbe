// SPDX-License-Identifier: Apache-2.0
// XXH3-64 (seed 0): the hash of bytes in engine files, and of what a kernel is made of in its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace llcuda {

uint64_t hashBytes(std::span<const std::byte> bytes);

} // namespace llcuda
