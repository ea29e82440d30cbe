// SPDX-License-Identifier: Apache-2.0
#include "dialects/llm/Llm.h"

#include "dialects/format_names.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/llm/LlmDialect.cpp.inc"
#include "dialects/llm/LlmEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/llm/LlmTypes.cpp.inc"

namespace llcuda::llm {

using formats::TensorType;
using mlir::failure;
using mlir::LogicalResult;
using mlir::success;

void LlmDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/llm/LlmTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/llm/LlmOps.cpp.inc"
      >();
}

LogicalResult LlmDialect::verifyOperationAttribute(mlir::Operation* op, mlir::NamedAttribute attribute) {
  if (attribute.getName() != kLayerAttr)
    return op->emitOpError("has the unknown attribute '") << attribute.getName().getValue() << "'";
  auto layer = mlir::dyn_cast<mlir::IntegerAttr>(attribute.getValue());
  if (!layer || layer.getInt() < 0)
    return op->emitOpError("needs an integer >= 0 in 'llm.layer'");
  return success();
}

LogicalResult LlmDialect::verifyRegionArgAttribute(mlir::Operation* op, unsigned, unsigned argIndex,
                                                   mlir::NamedAttribute attribute) {
  if (attribute.getName() != kIoAttr)
    return op->emitOpError("has the unknown argument attribute '") << attribute.getName().getValue() << "'";
  static constexpr llvm::StringLiteral kRoles[] = {"tokens", "positions", "slots", "output_rows", "sampling"};
  auto role = mlir::dyn_cast<mlir::StringAttr>(attribute.getValue());
  if (!role || !llvm::is_contained(kRoles, role.getValue()))
    return op->emitOpError("argument ") << argIndex
                                        << " needs tokens, positions, slots, output_rows or sampling in 'llm.io'";
  return success();
}

// --- types -----------------------------------------------------------------------------------------------------------

/// Parses `AxB`.
static mlir::ParseResult parseShape(mlir::AsmParser& parser, int64_t& first, int64_t& second) {
  const llvm::SMLoc location = parser.getCurrentLocation();
  llvm::SmallVector<int64_t, 2> shape;
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(location, "expected two sizes");
  first = shape[0];
  second = shape[1];
  return success();
}

mlir::Type WeightType::parse(mlir::AsmParser& parser) {
  int64_t rows = 0, cols = 0;
  if (parser.parseLess() || parseShape(parser, rows, cols) || parser.parseComma())
    return {};
  const auto encoding = mlir::FieldParser<TensorType>::parse(parser);
  if (mlir::failed(encoding))
    return {};
  std::optional<WeightLayout> layout;
  if (mlir::succeeded(parser.parseOptionalComma())) {
    const mlir::FailureOr<WeightLayout> named = mlir::FieldParser<WeightLayout>::parse(parser);
    if (mlir::failed(named))
      return {};
    layout.emplace(named.value());
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<WeightType>(parser.getContext(), rows, cols, *encoding, layout);
}

void WeightType::print(mlir::AsmPrinter& printer) const {
  printer << "<" << getRows() << "x" << getCols() << ", " << getEncoding();
  if (getLayout())
    printer << ", " << *getLayout();
  printer << ">";
}

LogicalResult WeightType::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError, int64_t rows, int64_t cols,
                                 TensorType encoding, std::optional<WeightLayout>) {
  if (rows <= 0 || cols <= 0) // C1
    return emitError() << "a weight of " << rows << "x" << cols << " has no elements";
  const uint32_t block = formats::tensorTypeInfo(encoding).blockElements;
  if (cols % block != 0) // C2
    return emitError() << cols << " columns are not a multiple of the " << block << " elements of a block of "
                       << formats::tensorTypeInfo(encoding).name;
  return success();
}

llvm::StringRef WeightType::getEncodingName() const {
  return formats::tensorTypeInfo(getEncoding()).name;
}

WeightType WeightType::withLayout(WeightLayout layout) const {
  return WeightType::get(getContext(), getRows(), getCols(), getEncoding(), layout);
}

mlir::Type CacheType::parse(mlir::AsmParser& parser) {
  int64_t layer = 0, heads = 0, headSize = 0;
  if (parser.parseLess() || parser.parseKeyword("layer") || parser.parseInteger(layer) || parser.parseComma() ||
      parseShape(parser, heads, headSize) || parser.parseComma())
    return {};
  const auto key = mlir::FieldParser<TensorType>::parse(parser);
  if (mlir::failed(key) || parser.parseComma())
    return {};
  const auto value = mlir::FieldParser<TensorType>::parse(parser);
  if (mlir::failed(value) || parser.parseGreater())
    return {};
  return parser.getChecked<CacheType>(parser.getContext(), layer, heads, headSize, *key, *value);
}

void CacheType::print(mlir::AsmPrinter& printer) const {
  printer << "<layer " << getLayer() << ", " << getHeads() << "x" << getHeadSize() << ", " << getKeyEncoding() << ", "
          << getValueEncoding() << ">";
}

LogicalResult CacheType::verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError, int64_t layer, int64_t heads,
                                int64_t headSize, TensorType, TensorType) {
  if (layer < 0 || heads <= 0 || headSize <= 0) // C1
    return emitError() << "a cache needs a layer >= 0, at least one head and at least one element, not layer " << layer
                       << ", " << heads << "x" << headSize;
  return success();
}

// --- helpers of other rooms ------------------------------------------------------------------------------------------

mlir::RankedTensorType floatRows(mlir::MLIRContext* context, int64_t columns) {
  return mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, columns}, mlir::Float32Type::get(context));
}

mlir::RankedTensorType q8Rows(mlir::MLIRContext* context, int64_t columns) {
  return mlir::RankedTensorType::get({mlir::ShapedType::kDynamic, columns}, Q8Type::get(context));
}

mlir::RankedTensorType asQ8Rows(mlir::Type rows) {
  return mlir::cast<mlir::RankedTensorType>(rows).clone(Q8Type::get(rows.getContext()));
}

bool isQ8Rows(mlir::Type type) {
  auto rows = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return rows && mlir::isa<Q8Type>(rows.getElementType());
}

int64_t columnsOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getShape().back();
}

bool takesQ8Rows(TensorType encoding) {
  const auto layout = formats::tensorTypeInfo(encoding).layout;
  return layout && weightReadsInt8Rows(*layout);
}

int64_t layerOf(mlir::Operation* op) {
  auto layer = op->getAttrOfType<mlir::IntegerAttr>(kLayerAttr);
  return layer ? layer.getInt() : -1;
}

bool isPositions(mlir::Value value) {
  const auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
  auto function = argument ? mlir::dyn_cast<mlir::FunctionOpInterface>(argument.getOwner()->getParentOp())
                           : mlir::FunctionOpInterface();
  const auto role =
      function ? function.getArgAttrOfType<mlir::StringAttr>(argument.getArgNumber(), kIoAttr) : mlir::StringAttr();
  return role && role.getValue() == "positions";
}

} // namespace llcuda::llm
