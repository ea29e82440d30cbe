// SPDX-License-Identifier: Apache-2.0
// The kernel headers as they were when the program was built. Kernel compilers read these, never the disk, so what a
// kernel becomes does not depend on where the program lies.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace llcuda::codegen {

struct EmbeddedHeader {
  const char* name; ///< the path in the repository, as sources include it: "codegen/kernels/ptx/mma.cuh"
  const char* text;
};

/// All of them, by name.
std::span<const EmbeddedHeader> embeddedHeaders();

/// Those that `source` includes by `#include "..."`, directly or through others, by name. An include that is not
/// embedded is left out.
std::vector<const EmbeddedHeader*> headersOf(std::string_view source);

} // namespace llcuda::codegen
