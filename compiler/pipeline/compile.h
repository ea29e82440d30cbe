// SPDX-License-Identifier: Apache-2.0
// A model file to an engine file: all that llcuda-compile does, as a call.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/nvrtc/compile_kernels.h"
#include "codegen/spec/tile_table.h"
#include "compiler/models/open_model.h"
#include "runtime/base/result.h"

namespace llcuda::pipeline {

/// Positions that an engine gets when nobody says how many and the model has them.
inline constexpr uint32_t kDefaultContext = 8192;

enum class Stage { kKernels, kHostImage, kGolden, kWeights };

/// `done` of `total` steps of a stage; stages may run at the same time, but calls come one at a time.
using Progress = std::function<void(Stage stage, uint64_t done, uint64_t total)>;

/// Values of the interpreter that the engine carries for its self-check.
enum class GoldenMode {
  kNone,
  kDefault, ///< one forward pass, and the ids of some texts
  kFull,    ///< and the continuations of sixteen prompts
};

struct CompileOptions {
  std::string input;
  std::string output;
  std::vector<std::string> otherInputs; ///< files that were read for these options: the output may be none of them
  models::OpenOptions open;             ///< what becomes of the model's weights; its threads are set from `jobs`
  bool gpuTarget = true;                ///< sm_75 machine code and compute_75 PTX
  bool hostTarget = false;              ///< a host image for hostsim
  uint32_t maxContext = 0;              ///< 0: the model's, at most kDefaultContext
  uint32_t maxBatch = 1;
  bool batchInvariant = false;   ///< a row's bits depend on its own tokens alone; not with `tiles`
  std::string keyType = "f16";   ///< of the cache: a name of codegen/formats/kv_types.inc
  std::string valueType = "f16"; ///< the same
  GoldenMode golden = GoldenMode::kDefault;
  bool referWeights = false; ///< leave the weights that lie as they are in a file there
  unsigned jobs = 1;
  std::vector<std::string> skipFusions;           ///< pass flags of pipeline.h's kFusions
  codegen::TileTable tiles;                       ///< before what is built in
  std::vector<std::string> dumpIrAfter;           ///< pass flags, or "all"
  std::function<void(std::string_view)> dumpSink; ///< receives the IR as text
  codegen::NvrtcSearch nvrtc;
  std::string cacheFolder; ///< empty: no kernel cache
  std::vector<std::string> workerCommand;
  std::string hostCompiler; ///< path of a C++ compiler; used for the host target
  Progress progress;
};

struct CompileReport {
  size_t kernels = 0;
  size_t cachedKernels = 0;
  uint64_t spillBytes = 0;       ///< of all kernels
  uint32_t decodeLaunches = 0;   ///< of the batch-1 decode phase
  uint32_t launchesPerLayer = 0; ///< the most of any layer in that phase
  uint64_t fileBytes = 0;
  uint64_t embeddedWeightBytes = 0;
  uint64_t referencedWeightBytes = 0;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;     ///< what was done to the weights, and what was used of a file of tiles
  codegen::TileRequests tileRequests; ///< of the kernels
};

/// Every file that these options read: of the model, of its adapters, base and tokenizer, and the other inputs.
std::vector<std::string> inputFiles(const CompileOptions& options);

/// Compiles `input`. The output is an OutputFile, and what it cannot be (checkOutput()) is refused before any work.
Result<CompileReport> compileModel(const CompileOptions& options);

/// Puts the weights, constants, values and text of `options.input` into the engine `engine` and writes it to
/// `options.output`, which may be the same path, but no file in which that engine left its weights. Its kernels are
/// taken over: limits, KV type, targets, kind of weights and of values are the engine's, whatever the options say.
/// kUnsupported names the first difference of a model that needs other kernels; then nothing is written.
Result<CompileReport> refitEngine(const std::string& engine, const CompileOptions& options);

} // namespace llcuda::pipeline
