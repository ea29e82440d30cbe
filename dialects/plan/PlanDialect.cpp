// SPDX-License-Identifier: Apache-2.0
// Attributes and verifiers. The labels C1, C2, ... are those of the descriptions in the .td files.
#include "dialects/plan/Plan.h"

#include "dialects/format_names.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/plan/PlanDialect.cpp.inc"
#include "dialects/plan/PlanEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanAttrs.cpp.inc"

namespace llcuda::plan {

using mlir::failure;
using mlir::FlatSymbolRefAttr;
using mlir::LogicalResult;
using mlir::success;

/// Form of the arguments of a launch: `(@x, @y + 128)`.
static mlir::ParseResult parseLaunchArguments(mlir::OpAsmParser& parser, mlir::ArrayAttr& buffers,
                                              mlir::DenseI64ArrayAttr& offsets) {
  llvm::SmallVector<mlir::Attribute> names;
  llvm::SmallVector<int64_t> bytes;
  const auto parseOne = [&]() -> mlir::ParseResult {
    mlir::StringAttr name;
    if (parser.parseSymbolName(name))
      return failure();
    names.push_back(FlatSymbolRefAttr::get(name));
    bytes.push_back(0);
    return mlir::succeeded(parser.parseOptionalPlus()) ? parser.parseInteger(bytes.back()) : success();
  };
  if (parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Paren, parseOne))
    return failure();
  buffers = parser.getBuilder().getArrayAttr(names);
  offsets = parser.getBuilder().getDenseI64ArrayAttr(bytes);
  return success();
}

static void printLaunchArguments(mlir::OpAsmPrinter& printer, LaunchOp, mlir::ArrayAttr buffers,
                                 mlir::DenseI64ArrayAttr offsets) {
  printer << "(";
  llvm::interleaveComma(llvm::enumerate(buffers), printer, [&](auto entry) {
    printer << entry.value();
    if (const int64_t offset = offsets[entry.index()])
      printer << " + " << offset;
  });
  printer << ")";
}

} // namespace llcuda::plan

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"

namespace llcuda::plan {

void PlanDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/plan/PlanAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
}

static bool isEncoding(llvm::StringRef name) {
  return formats::tensorTypeByName(std::string_view(name.data(), name.size())).has_value();
}

LogicalResult TensorAttr::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError, llvm::StringRef name,
                                 int64_t rows, int64_t cols, formats::TensorType, WeightLayout, int64_t firstRow,
                                 int64_t pairRows, int64_t groupRows, mlir::FloatAttr) {
  if (name.empty()) // C1
    return emitError() << "needs the name of a tensor";
  if (rows <= 0 || cols <= 0 || firstRow < 0 || pairRows < 0) // C2
    return emitError() << "rows and cols must be positive, first_row and pair_rows not negative";
  if (groupRows != 0 && groupRows < pairRows) // C2
    return emitError() << "group_rows must be 0 or at least pair_rows";
  return success();
}

LogicalResult WorkAttr::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError, int64_t rows, int64_t window,
                               int64_t fixedBytes, int64_t rowRead, int64_t rowWritten, int64_t keyBytes,
                               int64_t rowMultiplyAdds, int64_t keyMultiplyAdds, int64_t expertBytes, int64_t experts,
                               int64_t choices, int64_t tileRows, ArithmeticUnit) {
  if (rows <= 0 || window < 0 || fixedBytes < 0 || rowRead < 0 || rowWritten < 0 || keyBytes < 0 ||
      rowMultiplyAdds < 0 || keyMultiplyAdds < 0 || expertBytes < 0 || experts < 0 || choices < 0 || tileRows < 0) // C1
    return emitError() << "rows must be positive, nothing negative";
  if ((experts == 0) != (choices == 0) || choices > experts ||
      (experts == 0 && (expertBytes != 0 || tileRows != 0))) // C2
    return emitError() << "has " << choices << " choices of " << experts << " experts, " << expertBytes
                       << " bytes of each and tiles of " << tileRows << " rows";
  return success();
}

LogicalResult RopeTableAttr::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError, int64_t positions,
                                    mlir::ArrayAttr frequencies, mlir::FloatAttr, mlir::FloatAttr growth,
                                    mlir::FloatAttr growthPeriod) {
  if (positions <= 0 || frequencies.empty()) // C1
    return emitError() << "needs at least one position and one frequency";
  if (!llvm::all_of(frequencies, [](mlir::Attribute f) { // C2
        auto number = mlir::dyn_cast<mlir::FloatAttr>(f);
        return number && number.getType().isF64();
      }))
    return emitError() << "frequencies must be f64";
  if (!growth != !growthPeriod) // C3
    return emitError() << "growth and its period must be there together";
  return success();
}

LogicalResult EngineOp::verify() {
  if (getMaxContextAttr().getInt() <= 0 || getMaxBatchAttr().getInt() <= 0 || getPageTokensAttr().getInt() <= 0) // C1
    return emitOpError("max_context, max_batch and page_tokens must be positive");
  if (getArenaBytesAttr().getInt() < 0) // C1
    return emitOpError("arena_bytes must not be negative");
  llvm::SmallVector<std::pair<bool, uint64_t>> phases;
  for (mlir::Operation& op : getBody().front()) {
    if (!mlir::isa<KernelOp, BufferOp, PhaseOp, EditsOp>(op)) // C2
      return op.emitOpError("is no kernel, buffer, phase or edits");
    auto phase = mlir::dyn_cast<PhaseOp>(op);
    if (!phase)
      continue;
    const std::pair key{phase.getFeedsBack(), phase.getRows()};
    if (llvm::is_contained(phases, key)) // C3
      return phase.emitOpError() << "is a second phase of " << key.second << " rows that "
                                 << (key.first ? "feeds back" : "does not feed back");
    phases.push_back(key);
  }
  return success();
}

static bool isIdentifier(llvm::StringRef text) {
  return !text.empty() &&
         llvm::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

LogicalResult KernelOp::verify() {
  if (!isIdentifier(getSymName()) || !isIdentifier(getOp())) // C1
    return emitOpError() << "name and op must be of a to z, 0 to 9 and _, not '" << getOp() << "'";
  const int64_t threads = getThreadsAttr().getInt();
  if (threads <= 0 || threads % 32 != 0) // C2
    return emitOpError() << "threads must be a positive multiple of 32, not " << threads;
  if (getMinBlocksAttr().getInt() <= 0 || getDynamicSharedAttr().getInt() < 0) // C2
    return emitOpError("min_blocks must be positive, dynamic_shared not negative");
  if (getHeader().empty() || getCall().empty()) // C3
    return emitOpError("needs a header and a call");
  llvm::StringSet<> names;
  for (auto param : getParams().getAsRange<ParamAttr>()) { // C4
    if (!names.insert(param.getName()).second)
      return emitOpError() << "has two parameters '" << param.getName() << "'";
    if (!param.getType().ends_with("*"))
      return emitOpError() << "parameter '" << param.getName() << "' is no pointer: " << param.getType();
  }
  const int resources = !!getRegistersAttr() + !!getStaticSharedAttr() + !!getSpillAttr();
  if (resources != 0 && resources != 3) // C5
    return emitOpError("needs registers, static_shared and spill together or none");
  if (resources == 3 &&
      (getRegistersAttr().getInt() < 0 || getStaticSharedAttr().getInt() < 0 || getSpillAttr().getInt() < 0)) // C5
    return emitOpError("registers, static_shared and spill must not be negative");
  return success();
}

LogicalResult BufferOp::verify() {
  const BufferKind kind = getKind();
  if (getBytesAttr().getInt() <= 0) // C1
    return emitOpError() << "bytes must be positive, not " << getBytesAttr().getInt();
  if ((kind == BufferKind::Io) != getRole().has_value()) // C2
    return emitOpError() << "of kind " << stringifyBufferKind(kind) << (getRole() ? " has a role" : " needs a role");
  const bool fromFile = kind == BufferKind::Weight || kind == BufferKind::Constant;
  if (fromFile != getSource().has_value()) // C3
    return emitOpError() << "of kind " << stringifyBufferKind(kind)
                         << (getSource() ? " has a source" : " needs a source");
  const bool isGrouped = kind == BufferKind::Kv || getRole() == IoRole::BlockTable;
  if (getWindowAttr() && (!isGrouped || getWindowAttr().getInt() <= 0)) // C5
    return emitOpError("window belongs to kv buffers and block tables, and is positive");
  if (getPart().has_value() != (kind == BufferKind::Kv) || getKvType().has_value() != (kind == BufferKind::Kv)) // C6
    return emitOpError("part and type belong to kv buffers, which need both");
  if (getKvType() && !isEncoding(*getKvType())) // C6
    return emitOpError() << "type '" << *getKvType() << "' is not an encoding";
  if (!getOffsetAttr())
    return success();
  const int64_t offset = getOffsetAttr().getInt();
  if (!fromFile && kind != BufferKind::Arena) // C4
    return emitOpError() << "of kind " << stringifyBufferKind(kind) << " has an offset";
  if (offset < 0 || offset % kBufferAlignment != 0) // C4
    return emitOpError() << "offset must be a multiple of " << kBufferAlignment << ", not " << offset;
  return success();
}

LogicalResult PhaseOp::verify() {
  const int64_t rows = getRowsAttr().getInt(), outputs = getOutputsAttr().getInt(), block = getRowBlockAttr().getInt();
  if (rows <= 0 || block <= 0 || block > rows) // C1
    return emitOpError() << "needs rows and a row_block in 1 to rows, not " << block << " of " << rows;
  if (const int64_t blocks = (rows + block - 1) / block; outputs <= 0 || outputs > blocks) // C1
    return emitOpError() << "needs 1 to " << blocks << " outputs, not " << outputs;
  if (getFeedsBack() && outputs != rows) // C3
    return emitOpError() << "feeds back and needs an output for each of its " << rows << " rows, not " << outputs;
  if (getBody().front().empty()) // C2
    return emitOpError("needs at least one launch");
  for (mlir::Operation& op : getBody().front())
    if (!mlir::isa<LaunchOp>(op)) // C2
      return op.emitOpError("is no launch");
  llvm::SmallVector<TailKind> tails;
  for (LaunchOp launch : getOps<LaunchOp>()) {
    const std::optional<TailKind> tail = launch.getTail();
    if (!tails.empty() && tail == tails.back())
      continue;
    if (tail ? llvm::is_contained(tails, *tail) : !tails.empty()) // C4
      return launch.emitOpError("stands behind a tail that it is no part of");
    if (tail)
      tails.push_back(*tail);
  }
  if (llvm::is_contained(tails, TailKind::Score) != getScores().has_value()) // C5
    return emitOpError("has `scores` where no tail scores, or none where one does");
  if (getScoresAttr() && (getScoresAttr().getInt() <= 0 || getScoresAttr().getInt() > rows)) // C5
    return emitOpError() << "scores 1 to " << rows << " rows at a time, not " << getScoresAttr().getInt();
  return success();
}

LogicalResult EditsOp::verify() {
  mlir::Block& body = getBody().front();
  if (!llvm::hasSingleElement(body) || !mlir::isa<LaunchOp>(body.front())) // C1
    return emitOpError("needs one launch and nothing else");
  return success();
}

LogicalResult LaunchOp::verify() {
  if (getGrid().size() != 3 || llvm::any_of(getGrid(), [](int64_t size) { return size <= 0; })) // C1
    return emitOpError("grid must be three positive sizes");
  if (getLayerAttr() && getLayerAttr().getInt() < 0) // C6
    return emitOpError("layer must not be negative");
  if (getTapAttr() && !getLayerAttr()) // C7
    return emitOpError("has a tap and no layer");
  if (getBuffers().size() != getOffsets().size())
    return emitOpError("needs an offset for each buffer");
  return success();
}

static LogicalResult verifyArgument(LaunchOp launch, FlatSymbolRefAttr name, int64_t offset, ParamAttr param,
                                    mlir::Operation* engine, mlir::SymbolTableCollection& symbols) {
  auto buffer = symbols.lookupSymbolIn<BufferOp>(engine, name);
  if (!buffer) // C2
    return launch.emitOpError() << name << " is no buffer of the engine";
  if (offset < 0 || offset >= buffer.getBytesAttr().getInt()) // C4
    return launch.emitOpError() << name << " + " << offset << " is outside its " << buffer.getBytes() << " bytes";
  const bool readOnly = buffer.getKind() == BufferKind::Weight || buffer.getKind() == BufferKind::Constant;
  if (readOnly && param.getAccess() != Access::Read) // C5
    return launch.emitOpError() << "writes " << name << ", which is a " << stringifyBufferKind(buffer.getKind());
  return success();
}

static LogicalResult verifyTap(LaunchOp launch, mlir::SymbolTableCollection& symbols) {
  if (!launch.getTapAttr())
    return success();
  for (LaunchArgument argument : argumentsOf(launch, symbols)) // C7
    if (argument.buffer.getSymName() == launch.getTapAttr().getValue() &&
        argument.buffer.getKind() == BufferKind::Arena && argument.param.getAccess() != Access::Read)
      return success();
  return launch.emitOpError() << "has the tap " << launch.getTapAttr() << ", which is no arena buffer that it writes";
}

LogicalResult LaunchOp::verifySymbolUses(mlir::SymbolTableCollection& symbols) {
  mlir::Operation* engine = (*this)->getParentOfType<EngineOp>();
  auto kernel = engine ? symbols.lookupSymbolIn<KernelOp>(engine, getKernelAttr()) : KernelOp();
  if (!kernel) // C2
    return emitOpError() << getKernelAttr() << " is no kernel of the engine";
  if (getBuffers().size() != kernel.getParams().size()) // C3
    return emitOpError() << "has " << getBuffers().size() << " arguments, " << getKernelAttr() << " has "
                         << kernel.getParams().size() << " parameters";
  for (auto [name, offset, param] : llvm::zip_equal(getBuffers().getAsRange<FlatSymbolRefAttr>(), getOffsets(),
                                                    kernel.getParams().getAsRange<ParamAttr>()))
    if (mlir::failed(verifyArgument(*this, name, offset, param, engine, symbols)))
      return failure();
  return verifyTap(*this, symbols);
}

KernelOp kernelOf(LaunchOp launch, mlir::SymbolTableCollection& symbols) {
  return symbols.lookupSymbolIn<KernelOp>(launch->getParentOfType<EngineOp>(), launch.getKernelAttr());
}

llvm::SmallVector<LaunchArgument> argumentsOf(LaunchOp launch, mlir::SymbolTableCollection& symbols) {
  mlir::Operation* engine = launch->getParentOfType<EngineOp>();
  llvm::SmallVector<LaunchArgument> arguments;
  for (auto [name, offset, param] :
       llvm::zip_equal(launch.getBuffers().getAsRange<FlatSymbolRefAttr>(), launch.getOffsets(),
                       kernelOf(launch, symbols).getParams().getAsRange<ParamAttr>()))
    arguments.push_back({symbols.lookupSymbolIn<BufferOp>(engine, name), offset, param});
  return arguments;
}

} // namespace llcuda::plan
