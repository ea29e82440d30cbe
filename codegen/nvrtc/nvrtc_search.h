// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "codegen/nvrtc/nvrtc_library.h"

namespace llcuda::codegen {

/// What NvrtcLibrary::open() tries, in this order: files that are there, by their paths, and for the loader names
/// without a folder. With `search.path` only what that names.
std::vector<std::string> nvrtcCandidates(const NvrtcSearch& search);

} // namespace llcuda::codegen
