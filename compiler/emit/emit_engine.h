// SPDX-License-Identifier: Apache-2.0
// A finished plan to an engine file.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/emit/segment_plan.h"
#include "compiler/models/parameter.h"
#include "dialects/plan/Plan.h"
#include "runtime/base/file_id.h"
#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"
#include "runtime/schema/engine_writer.h"

namespace llcuda::emit {

/// What the compilers of kernel images made of one kernel. An image that was not made is empty.
struct KernelImage {
  std::string cubin; ///< machine code for SM 7.5
  std::string ptx;   ///< compute_75, without a terminating NUL
  uint32_t registers = 0;
  uint32_t staticSharedBytes = 0;
  uint32_t spillBytes = 0;
};

struct KernelImages {
  std::map<std::string, KernelImage> kernels; ///< by entry name; each kernel of the plan has one
  std::string hostImage;                      ///< a shared library with every kernel; empty without a host target
};

/// Values that the engine is compared with when it checks itself.
struct SelfChecks {
  std::optional<fb::GoldenT> golden;
  std::vector<fb::GoldenT> prompts;
  std::optional<fb::TokenizerVectorsT> tokenizer;
};

/// What is known before a kernel is compiled.
struct EmitInput {
  plan::EngineOp plan;
  const ingest::Checkpoint* checkpoint = nullptr; ///< outlives the emitter
  bool refersWeights = false;                     ///< the engine leaves in their files those that lie there as they are
  fb::ModelT model;
  std::string tokenizer;       ///< tokenizer.json; empty for a model without a vocabulary
  std::string textConfig;      ///< JSON of runtime/text/text_config.h
  bool batchInvariant = false; ///< as fb::Engine says
  unsigned threads = 1;        ///< that pack weights; the file's bytes do not depend on it
  /// Called with the bytes of weights written so far and in all.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

/// What is known when they are compiled.
struct EmitResults {
  fb::CompilerT compiler;
  KernelImages images;
  SelfChecks checks;
};

struct EmitSummary {
  uint64_t fileBytes = 0;
  uint64_t weightBytes = 0;     ///< in the file
  uint64_t referencedBytes = 0; ///< of weights that stay in their files, in device layout
  uint64_t constantBytes = 0;
  uint64_t imageBytes = 0;
};

/// Writes an engine in two steps, under a temporary name until it is whole; an emitter that is destroyed before leaves
/// nothing behind. The same input gives the same bytes. At most a few weights are in memory at a time.
class EngineEmitter {
public:
  /// Fails as checkOutput() does: the engine may not take the place of one of `inputs`.
  static Result<EngineEmitter> create(EmitInput input, const std::string& path, std::vector<InputFile> inputs);

  /// Constants, weights and text: all that needs no kernel. Only reads the plan, so that it may run while the kernels
  /// compile. Ends soon with kCancelled once `cancelled` is set.
  Result<void> writeWeights(const std::atomic<bool>& cancelled);

  /// The rest, after writeWeights().
  Result<EmitSummary> finish(const EmitResults& results);

private:
  EngineEmitter(EmitInput input, std::string path, schema::EngineWriter writer);
  Result<void> writeBuffers(const SegmentPlan& segment, bool reports, const std::atomic<bool>& cancelled);

  EmitInput input;
  std::string path;
  schema::EngineWriter writer;
  SegmentPlan constants;
  WeightPlan weights;
};

} // namespace llcuda::emit
