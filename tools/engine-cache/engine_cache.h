// SPDX-License-Identifier: Apache-2.0
// The folder of engines that tools had compiled for models.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/result.h"

namespace llcuda::tools {

/// What the engines of the folder may take together, unless somebody says otherwise.
inline constexpr uint64_t kEngineCacheBytes = uint64_t{20} << 30;

/// $XDG_CACHE_HOME/llcuda/engines, or ~/.cache/llcuda/engines; made when it is not there. kUsage when neither
/// XDG_CACHE_HOME nor HOME is set.
Result<std::string> engineCacheFolder();

/// A file name that differs when anything does of which the engine is made: the path of the model; name, size, time and
/// inode of every file that is read for it (`inputs`); the compiler, to the byte; its flags.
Result<std::string> cachedEngineName(const std::string& model, std::span<const std::string> inputs,
                                     const std::string& compiler, std::span<const std::string> flags);

/// Marks `used` as the engine used last, and removes those that have not been used for longest until all take at most
/// `maxBytes`; `used` stays. What a compiler that was killed left there a day ago goes too.
void keepCacheSmall(const std::string& folder, const std::string& used, uint64_t maxBytes);

} // namespace llcuda::tools
