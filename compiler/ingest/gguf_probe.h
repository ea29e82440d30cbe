// SPDX-License-Identifier: Apache-2.0
// What a file that is not a little-endian GGUF of version 2 or 3 really is, so that the error can say what to do.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "runtime/base/result.h"

namespace llcuda::ingest {

/// Success for bytes that start like a GGUF this version reads; else one sentence with the remedy.
Result<void> probeGguf(const std::string& path, std::span<const std::byte> bytes);

} // namespace llcuda::ingest
