// SPDX-License-Identifier: Apache-2.0
// Tools that run engines take a model too: it is compiled when it is first met.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include <sys/types.h>

#include "llcuda/llcuda.h"

namespace llcuda::tools {

/// True for a folder and for a file that begins as a GGUF, that is named as safetensors are, or that is JSON: one of
/// the files of a folder, of which llcuda-compile says so.
bool isModel(const std::string& path);

struct CompileFirst {
  std::string program; ///< the tool's name, before its errors
  std::string model;
  llcuda_device device = LLCUDA_DEVICE_AUTO; ///< what the engine is for
  uint32_t context = 0;                      ///< 0: the compiler's default
  uint32_t maxBatch = 0;                     ///< 0: the compiler's default
  std::optional<uint64_t> cacheBytes = {};   ///< that all engines of the folder may take
  /// Told the process of the compiler when it has started. May be empty.
  std::function<void(pid_t)> started = {};
};

/// The engine of a model, from the cache folder (engine_cache.h); compiled into it by the llcuda-compile beside this
/// program when it is not there. An exit code when that fails; what to say has been said.
std::variant<std::string, int> compiledEngine(const CompileFirst& wanted);

} // namespace llcuda::tools
