// SPDX-License-Identifier: Apache-2.0
// The flags of tools that compile models.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "compiler/pipeline/compile.h"

namespace llcuda::tools {

/// What is looked for when the flags are parsed.
struct CompilePlaces {
  std::string nvrtc;       ///< the library, or its folder; empty: LLCUDA_NVRTC, else the usual places
  std::string cacheFolder; ///< of compiled kernels; empty: none
};

/// Adds the model and what decides its kernels: the flags of model_options.h, -c, --max-batch, types of the cache; -j,
/// --nvrtc and --cache-dir. `options` and `places` must outlive the parsing.
void addCompileOptions(CLI::App& app, pipeline::CompileOptions& options, CompilePlaces& places);

/// After the parsing: finds NVRTC, a C++ compiler, and this program, which compiles kernels as `--kernel-worker`.
void findCompilers(const CompilePlaces& places, pipeline::CompileOptions& options);

} // namespace llcuda::tools
