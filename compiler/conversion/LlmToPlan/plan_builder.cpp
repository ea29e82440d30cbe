// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/LlmToPlan/plan_builder.h"

#include <algorithm>

#include "codegen/formats/kv_names.h"
#include "codegen/formats/row_edits.h"
#include "codegen/pack/pack.h"
#include "codegen/spec/edits_spec.h"

namespace llcuda::llm {
namespace {

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kWordBytes = 4;

plan::Access accessOf(codegen::Access access) {
  switch (access) {
  case codegen::Access::kRead:
    return plan::Access::Read;
  case codegen::Access::kWrite:
    return plan::Access::Write;
  case codegen::Access::kReadWrite:
    return plan::Access::ReadWrite;
  }
  llvm_unreachable("every access is listed");
}

} // namespace

static_assert(static_cast<int>(plan::ArithmeticUnit::None) == static_cast<int>(ArithmeticUnit::kNone));
static_assert(static_cast<int>(plan::ArithmeticUnit::Fp32) == static_cast<int>(ArithmeticUnit::kFp32));
static_assert(static_cast<int>(plan::ArithmeticUnit::Dp4a) == static_cast<int>(ArithmeticUnit::kDp4a));
static_assert(static_cast<int>(plan::ArithmeticUnit::TensorInt8) == static_cast<int>(ArithmeticUnit::kTensorInt8));
static_assert(static_cast<int>(plan::ArithmeticUnit::TensorF16) == static_cast<int>(ArithmeticUnit::kTensorF16));

plan::WorkAttr PlanBuilder::workAttr(const LaunchWork& work) {
  const auto number = [](uint64_t value) { return static_cast<int64_t>(value); };
  return plan::WorkAttr::get(builder.getContext(), work.rows, work.window, number(work.fixedBytes),
                             number(work.rowRead), number(work.rowWritten), number(work.keyBytes),
                             number(work.rowMultiplyAdds), number(work.keyMultiplyAdds), number(work.expertBytes),
                             work.experts, work.choices, work.tileRows, static_cast<plan::ArithmeticUnit>(work.unit));
}

PlanBuilder::PlanBuilder(mlir::ModuleOp module, PlanLimits limits, const codegen::TileTable& tiles)
    : planLimits(limits), tileTable(tiles), builder(module.getLoc(), module.getContext()) {
  builder.setInsertionPointToEnd(module.getBody());
  engine = plan::EngineOp::create(builder, limits.maxContext, limits.maxBatch, limits.pageTokens, /*arena_bytes=*/0);
  builder.createBlock(&engine.getBody());
}

std::string PlanBuilder::unused(const std::string& name) {
  std::string candidate = name;
  for (int i = 1; buffers.contains(candidate); ++i) candidate = name + "_" + std::to_string(i);
  return candidate;
}

plan::BufferOp PlanBuilder::buffer(const std::string& name, plan::BufferKind kind, int64_t bytes,
                                   mlir::Attribute source) {
  const bool placed = kind == plan::BufferKind::Weight || kind == plan::BufferKind::Constant;
  builder.setInsertionPointToEnd(&engine.getBody().front());
  auto op = plan::BufferOp::create(builder, name, kind, bytes, /*offset=*/mlir::IntegerAttr(), plan::KvPartAttr(),
                                   /*kv_type=*/mlir::StringAttr(), /*window=*/mlir::IntegerAttr(), plan::IoRoleAttr(),
                                   source);
  assert(placed == static_cast<bool>(source) && "weights and constants, and no others, have a source");
  (void)placed;
  buffers[name] = op;
  return op;
}

std::string PlanBuilder::weight(llm::ParameterOp parameter) {
  std::string& name = parameters[parameter];
  if (!name.empty())
    return name;
  const auto type = llvm::cast<llm::WeightType>(parameter.getType());
  const WeightLayout layout = *type.getLayout();
  const auto bytes =
      *pack::packedBytes(layout, static_cast<uint64_t>(type.getRows()), static_cast<uint64_t>(type.getCols()));
  const auto source = plan::TensorAttr::get(builder.getContext(), parameter.getName(), type.getRows(), type.getCols(),
                                            type.getEncoding(), layout, parameter.getFirstRow().value_or(0),
                                            parameter.getPairRows().value_or(0), parameter.getGroupRows().value_or(0),
                                            parameter.getPlusAttr());
  name = unused(parameter.getName().str());
  buffer(name, plan::BufferKind::Weight, static_cast<int64_t>(bytes), source);
  return name;
}

std::string PlanBuilder::constant(mlir::Value value) {
  std::string& name = parameters[value];
  if (!name.empty())
    return name;
  const int64_t elements = llvm::cast<mlir::ShapedType>(value.getType()).getNumElements();
  mlir::Attribute source;
  if (auto table = value.getDefiningOp<llm::RopeTableOp>()) {
    name = unused("rope_table");
    source = plan::RopeTableAttr::get(builder.getContext(), llvm::cast<mlir::ShapedType>(value.getType()).getDimSize(0),
                                      table.getFrequencies(), table.getMagnitudeAttr(), table.getGrowthAttr(),
                                      table.getGrowthPeriodAttr());
  } else {
    auto parameter = value.getDefiningOp<llm::ParameterOp>();
    const auto encoding = *formats::tensorTypeByName(parameter.getEncoding().value_or("f32"));
    name = unused(parameter.getName().str());
    source =
        plan::TensorAttr::get(builder.getContext(), parameter.getName(), 1, elements, encoding, WeightLayout::kF32Rows,
                              parameter.getFirstRow().value_or(0), parameter.getPairRows().value_or(0),
                              parameter.getGroupRows().value_or(0), parameter.getPlusAttr());
  }
  buffer(name, plan::BufferKind::Constant, elements * kFloatBytes, source);
  return name;
}

std::optional<codegen::KvCacheDesc> PlanBuilder::cache(mlir::TypedValue<llm::CacheType> cache) const {
  const auto keys = kvTypeOf(cache.getType().getKeyEncoding());
  const auto values = kvTypeOf(cache.getType().getValueEncoding());
  if (!keys || !values)
    return std::nullopt;
  return codegen::KvCacheDesc{static_cast<uint32_t>(planLimits.maxContext),
                              static_cast<uint32_t>(planLimits.pageTokens), *keys, *values};
}

int64_t PlanBuilder::windowOf(mlir::Value cache) const {
  int64_t widest = 0;
  for (mlir::Operation* user : cache.getUsers()) {
    auto attention = llvm::dyn_cast<llm::AttentionOp>(user);
    if (!attention || !attention.getWindow() || attention.getBothWays()) // what lies behind is not past by
      return 0;
    widest = std::max<int64_t>(widest, *attention.getWindow());
  }
  return widest < planLimits.maxContext ? widest : 0;
}

std::string PlanBuilder::pool(mlir::TypedValue<llm::CacheType> value, plan::KvPart part) {
  const llm::CacheType type = value.getType();
  const bool keys = part == plan::KvPart::Keys;
  const std::string name = (keys ? "k_pages_" : "v_pages_") + std::to_string(type.getLayer());
  if (buffers.contains(name))
    return name;
  const codegen::KvCacheDesc desc = *cache(value);
  const uint32_t headBytes =
      codegen::keptHeadBytes(keys ? desc.keyType : desc.valueType, static_cast<uint32_t>(type.getHeadSize()));
  plan::BufferOp op = buffer(name, plan::BufferKind::Kv, type.getHeads() * headBytes);
  op.setPart(part);
  op.setKvType(formats::tensorTypeInfo(keys ? type.getKeyEncoding() : type.getValueEncoding()).name);
  if (const int64_t window = windowOf(value))
    op.setWindow(window);
  return name;
}

std::string PlanBuilder::blockTable(mlir::TypedValue<llm::CacheType> cache) {
  const int64_t window = windowOf(cache);
  const std::string name = "block_table" + (window == 0 ? "" : "_w" + std::to_string(window));
  if (buffers.contains(name))
    return name;
  plan::BufferOp op = buffer(name, plan::BufferKind::Io, planLimits.maxBatch * planLimits.pagesPerSlot() * kWordBytes);
  op.setRole(plan::IoRole::BlockTable);
  if (window != 0)
    op.setWindow(window);
  return name;
}

std::string PlanBuilder::state(llvm::StringRef op, int64_t layer, int64_t bytes) {
  const std::string name = op.str() + "_state_" + std::to_string(layer);
  if (!buffers.contains(name))
    buffer(name, plan::BufferKind::State, bytes);
  return name;
}

std::string PlanBuilder::io(const PhaseFacts& facts, plan::IoRole role, int64_t bytes) {
  const std::string name = facts.name() + "_" + plan::stringifyIoRole(role).str();
  auto found = buffers.find(name);
  if (found == buffers.end()) {
    auto op = buffer(name, plan::BufferKind::Io, bytes);
    op.setRole(role);
  } else {
    found->second.setBytes(std::max<int64_t>(bytes, static_cast<int64_t>(found->second.getBytes())));
  }
  return name;
}

std::string PlanBuilder::slotIo(plan::IoRole role, int64_t bytes) {
  const std::string name = plan::stringifyIoRole(role).str();
  if (!buffers.contains(name))
    buffer(name, plan::BufferKind::Io, bytes).setRole(role);
  return name;
}

std::string PlanBuilder::counter(int64_t words) {
  const std::string name = "arrivals";
  if (!buffers.contains(name))
    buffer(name, plan::BufferKind::Counter, words * kWordBytes);
  plan::BufferOp op = buffers[name];
  op.setBytes(std::max<int64_t>(words * kWordBytes, static_cast<int64_t>(op.getBytes())));
  return name;
}

std::string PlanBuilder::arena(const std::string& name, int64_t bytes) {
  std::string chosen = unused(name);
  buffer(chosen, plan::BufferKind::Arena, bytes);
  return chosen;
}

plan::PhaseOp PlanBuilder::phase(const PhaseFacts& facts) {
  builder.setInsertionPointToEnd(&engine.getBody().front());
  auto op = plan::PhaseOp::create(builder, facts.rows, facts.rowBlock, facts.outputs, facts.feedsBack,
                                  /*scores=*/mlir::IntegerAttr());
  builder.createBlock(&op.getBody());
  return op;
}

mlir::LogicalResult PlanBuilder::edits() {
  std::map<int64_t, std::string> tables; // by window
  for (const auto& [name, op] : buffers)
    if (plan::BufferOp table = op; table.getRole() == plan::IoRole::BlockTable)
      tables[static_cast<int64_t>(table.getWindow().value_or(0))] = name;
  const bool samples = buffers.contains("decode_sampled") && buffers.contains("prompt_sampled");
  const bool encodes = buffers.contains("prompt_text_lengths"); // rows of whole texts: only block tables change
  if (tables.empty() || (!samples && !encodes))
    return mlir::success();
  const auto slots = static_cast<uint32_t>(planLimits.maxBatch);
  const PhaseFacts decode = {planLimits.maxBatch, 1, planLimits.maxBatch, true};
  const int64_t words = planLimits.maxBatch * kWordBytes;
  Bindings bindings = {{"edits", "edits"}};
  if (samples)
    bindings.insert({{"tokens", io(decode, plan::IoRole::Tokens, words)},
                     {"positions", io(decode, plan::IoRole::Positions, words)},
                     {"slots", io(decode, plan::IoRole::Slots, words)},
                     {"sampling", io(decode, plan::IoRole::Sampling, slots * int64_t{sizeof(SamplingParams)})},
                     {"sampled", "prompt_sampled"}});
  buffer("edits", plan::BufferKind::Io, editsBytes(slots)).setRole(plan::IoRole::Edits);
  const codegen::LaunchSpec spec =
      codegen::applyEditsLaunch({samples ? slots : 0, static_cast<uint32_t>(tables.size())});
  for (int index = 0; const auto& [window, name] : tables) bindings["block_table_" + std::to_string(index++)] = name;
  builder.setInsertionPointToEnd(&engine.getBody().front());
  auto op = plan::EditsOp::create(builder);
  builder.createBlock(&op.getBody());
  return launch(op, op.getBody().front(), spec, bindings, /*tail=*/std::nullopt);
}

mlir::LogicalResult PlanBuilder::kernel(mlir::Operation* op, const codegen::KernelSpec& spec) {
  const std::string& name = spec.name;
  if (const auto [known, added] = kernels.try_emplace(name, spec); !added)
    return known->second == spec ? mlir::success()
                                 : op->emitOpError("internal error: ")
                                       << name << " is the name of another kernel too: " << spec.call << " and "
                                       << known->second.call;
  llvm::SmallVector<mlir::Attribute> params;
  for (const codegen::Param& param : spec.params)
    params.push_back(plan::ParamAttr::get(builder.getContext(), param.name, param.type, accessOf(param.access)));
  builder.setInsertionPointToEnd(&engine.getBody().front());
  plan::KernelOp::create(builder, name, spec.op, spec.threads, spec.minBlocksPerSm, spec.dynamicSharedBytes,
                         spec.header, spec.call, builder.getArrayAttr(params), mlir::IntegerAttr(), mlir::IntegerAttr(),
                         mlir::IntegerAttr());
  return mlir::success();
}

mlir::FailureOr<plan::LaunchOp> PlanBuilder::launch(mlir::Operation* op, mlir::Block& body,
                                                    const codegen::LaunchSpec& spec, const Bindings& bindings,
                                                    std::optional<plan::TailKind> tail) {
  if (mlir::failed(kernel(op, spec.kernel)))
    return mlir::failure();
  const int64_t layer = llm::layerOf(op);
  if (!std::holds_alternative<std::monostate>(spec.tileRequest))
    requests.try_emplace(spec.kernel.name, spec.tileRequest);
  llvm::SmallVector<mlir::Attribute> arguments;
  llvm::SmallVector<int64_t> offsets;
  for (const codegen::Param& param : spec.kernel.params) {
    const BoundBuffer& bound = bindings.at(param.name);
    arguments.push_back(mlir::FlatSymbolRefAttr::get(builder.getContext(), bound.name));
    offsets.push_back(bound.offset);
  }
  builder.setInsertionPointToEnd(&body);
  const llvm::SmallVector<int64_t> grid = {spec.grid.x, spec.grid.y, spec.grid.z};
  return plan::LaunchOp::create(builder, spec.kernel.name, grid,
                                layer < 0 ? mlir::IntegerAttr() : builder.getI64IntegerAttr(layer),
                                tail ? plan::TailKindAttr::get(builder.getContext(), *tail) : plan::TailKindAttr(),
                                builder.getArrayAttr(arguments), offsets, workAttr(spec.work),
                                /*tap=*/mlir::FlatSymbolRefAttr());
}

void PlanBuilder::finish() {
  mlir::Block& body = engine.getBody().front();
  llvm::SmallVector<mlir::Operation*> buffersAndPhases;
  for (mlir::Operation& op : body)
    if (!llvm::isa<plan::KernelOp>(op))
      buffersAndPhases.push_back(&op);
  llvm::stable_sort(buffersAndPhases, [](mlir::Operation* a, mlir::Operation* b) {
    return llvm::isa<plan::BufferOp>(a) && !llvm::isa<plan::BufferOp>(b);
  });
  for (mlir::Operation* op : buffersAndPhases) op->moveBefore(&body, body.end());
}

} // namespace llcuda::llm
