// SPDX-License-Identifier: Apache-2.0
// The engine that llm-to-plan makes: what its phases share.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/kv_cache.h"
#include "compiler/conversion/LlmToPlan/LlmToPlan.h"
#include "dialects/llm/Llm.h"
#include "dialects/plan/Plan.h"
#include "mlir/IR/BuiltinOps.h"

namespace llcuda::llm {

/// A buffer from some byte on.
struct BoundBuffer {
  BoundBuffer() = default;
  BoundBuffer(std::string name, int64_t offset = 0) : name(std::move(name)), offset(offset) {}
  BoundBuffer(const char* name) : name(name) {}
  bool operator==(const BoundBuffer&) const = default;

  std::string name;
  int64_t offset = 0;
};

/// Buffers by the name of the parameter that they are bound to.
using Bindings = std::map<std::string, BoundBuffer>;

struct PlanLimits {
  int64_t maxContext;
  int64_t maxBatch;
  int64_t pageTokens;

  int64_t pagesPerSlot() const { return (maxContext + pageTokens - 1) / pageTokens; }
};

/// What a phase states of its rows.
struct PhaseFacts {
  int64_t rows;
  int64_t rowBlock; ///< rows from a multiple of it on belong to one slot
  int64_t outputs;
  bool feedsBack;       ///< each row's output is its next token
  int64_t scores = 0;   ///< rows that a run of the tail that scores takes; 0: there is no such tail
  bool encodes = false; ///< rows are of whole texts, and what the function returns of them is pooled

  /// Of the arena buffers and io buffers, those of phases that feed back and of the others.
  std::string name() const { return feedsBack ? "decode" : "prompt"; }
};

/// Makes kernels and buffers on first use and hands out their names.
class PlanBuilder {
public:
  /// `tiles` outlives it.
  PlanBuilder(mlir::ModuleOp module, PlanLimits limits, const codegen::TileTable& tiles);

  const PlanLimits& limits() const { return planLimits; }
  /// For the launches of linears.
  const codegen::TileTable& tiles() const { return tileTable; }
  /// Of the kernels so far.
  const codegen::TileRequests& tileRequests() const { return requests; }

  /// The blob of a weight, whose type has a layout that codegen/pack knows.
  std::string weight(llm::ParameterOp parameter);
  /// An f32 vector of the checkpoint, or a rope table.
  std::string constant(mlir::Value value);
  /// How the cache of a layer is kept. nullopt for encodings that no kernel writes.
  std::optional<codegen::KvCacheDesc> cache(mlir::TypedValue<llm::CacheType> cache) const;
  /// The pool of its keys or values.
  std::string pool(mlir::TypedValue<llm::CacheType> cache, plan::KvPart part);
  /// The block table of its group: of the layers all of whose readers see the same window of the context.
  std::string blockTable(mlir::TypedValue<llm::CacheType> cache);
  /// What `op` of a layer keeps of each slot: `bytes`, zero where a sequence begins.
  std::string state(llvm::StringRef op, int64_t layer, int64_t bytes);
  /// The io buffer of a role, which the phases that feed back share, and the others. Grows to `bytes`.
  std::string io(const PhaseFacts& facts, plan::IoRole role, int64_t bytes);
  /// The io buffer of a role that all slots have a part of, and all phases share.
  std::string slotIo(plan::IoRole role, int64_t bytes);
  /// The one counter, of at least so many words: launches follow one another and each leaves it at zero.
  std::string counter(int64_t words);
  /// A new buffer of the arena; `name` gets a suffix if it is taken.
  std::string arena(const std::string& name, int64_t bytes);

  plan::PhaseOp phase(const PhaseFacts& facts);
  /// Appends the launch that changes rows of phases that feed back, where there are such and others, and a cache, or
  /// only the block tables of an encoder's. Comes after the phases.
  mlir::LogicalResult edits();
  /// Appends a launch of `op` to the body of a phase, of its trunk or of a tail. `bindings` has a buffer
  /// for each parameter of the kernel. Reports on `op` a kernel that has the name of another.
  mlir::FailureOr<plan::LaunchOp> launch(mlir::Operation* op, mlir::Block& body, const codegen::LaunchSpec& spec,
                                         const Bindings& bindings, std::optional<plan::TailKind> tail);

  /// Puts kernels before buffers before phases.
  void finish();

private:
  plan::BufferOp buffer(const std::string& name, plan::BufferKind kind, int64_t bytes, mlir::Attribute source = {});
  mlir::LogicalResult kernel(mlir::Operation* op, const codegen::KernelSpec& spec);
  /// Positions that the rows see at most that read the cache; 0: as many as the context has.
  int64_t windowOf(mlir::Value cache) const;
  std::string unused(const std::string& name);
  plan::WorkAttr workAttr(const LaunchWork& work);

  PlanLimits planLimits;
  const codegen::TileTable& tileTable;
  codegen::TileRequests requests;
  mlir::ImplicitLocOpBuilder builder;
  plan::EngineOp engine;
  std::map<std::string, plan::BufferOp> buffers;
  std::map<std::string, codegen::KernelSpec> kernels;
  llvm::DenseMap<mlir::Value, std::string> parameters;
};

} // namespace llcuda::llm
