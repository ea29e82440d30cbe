// SPDX-License-Identifier: Apache-2.0
// Encodings and layouts as parameters of types and attributes: in text their names of codegen/formats/encodings.inc,
// which are keywords.
#pragma once

#include "codegen/formats/layout_names.h"
#include "codegen/formats/tensor_type.h"
#include "mlir/IR/DialectImplementation.h"

namespace llcuda {

inline llvm::raw_ostream& operator<<(llvm::raw_ostream& out, WeightLayout layout) {
  return out << llvm::StringRef(formats::layoutName(layout));
}
namespace formats {
inline llvm::raw_ostream& operator<<(llvm::raw_ostream& out, TensorType type) {
  return out << llvm::StringRef(tensorTypeInfo(type).name);
}
} // namespace formats

/// A keyword that `byName` knows; others are no `what`.
template <typename T>
mlir::FailureOr<T> parseFormatName(mlir::AsmParser& parser, std::optional<T> (*byName)(std::string_view),
                                   const char* what) {
  const llvm::SMLoc location = parser.getCurrentLocation();
  llvm::StringRef name;
  if (parser.parseKeyword(&name))
    return mlir::failure();
  if (const std::optional<T> found = byName(name))
    return *found;
  return parser.emitError(location, "'") << name << "' is not " << what;
}

} // namespace llcuda

template <>
struct mlir::FieldParser<llcuda::formats::TensorType> {
  static mlir::FailureOr<llcuda::formats::TensorType> parse(mlir::AsmParser& parser) {
    return llcuda::parseFormatName(parser, llcuda::formats::tensorTypeByName, "an encoding");
  }
};
template <>
struct mlir::FieldParser<llcuda::WeightLayout> {
  static mlir::FailureOr<llcuda::WeightLayout> parse(mlir::AsmParser& parser) {
    return llcuda::parseFormatName(parser, llcuda::formats::layoutByName, "a layout of weights");
  }
};
