// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace llcuda::ingest {

/// The folder of the adapter that was saved together with the model in `folder`: what `_llcuda_adapter` of its
/// config.json names, a path within the folder. Empty where there is no such key or file. kBadInput: the path leaves
/// the folder, or names no folder of an adapter.
Result<std::string> adapterBeside(const std::string& folder);

} // namespace llcuda::ingest
