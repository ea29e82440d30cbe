// SPDX-License-Identifier: Apache-2.0
// A linear layer that bitsandbytes stored in 4 bits: NF4 or FP4, its magnitudes plain or quantised once more.
//
// The file's blocks run over the flattened matrix; docs/formats.md has the layout. What comes out are rows of blocks
// (codegen/formats/nf4.h) with the same codes and f32 magnitudes, or, where rows are no whole blocks of 32, the values.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "compiler/ingest/checkpoint.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// The bytes of a layer's tensors in the file; empty for one that the file lacks.
struct BnbFourBitParts {
  std::span<const std::byte> codes;          ///< `weight`, whatever dtype `quant_storage` gave it
  std::span<const std::byte> absmax;         ///< f32, or u8 where nested
  std::span<const std::byte> quantMap;       ///< f32, 16 values
  std::span<const std::byte> nestedAbsmax;   ///< f32
  std::span<const std::byte> nestedQuantMap; ///< f32, 256 values
  std::span<const std::byte> quantState;     ///< JSON
};

class BnbFourBit {
public:
  /// Verifies all sizes; `name` is that of the weight, for messages. The bytes must outlive the layer.
  static Result<BnbFourBit> open(std::string name, const BnbFourBitParts& parts);

  uint64_t rows() const { return rowCount; }
  uint64_t columns() const { return columnCount; }
  formats::TensorType type() const { return answered; }
  /// Whether type() is wider than 4 bits because rows are no whole blocks.
  bool isWidened() const { return widened; }

  /// All rows in type(). A magnitude that is not a number is kBadInput.
  Result<TensorBytes> read() const;

private:
  enum class Table : uint8_t { kNf4, kFp4 };

  BnbFourBit(std::string name, const BnbFourBitParts& parts) : name(std::move(name)), parts(parts) {}
  Result<void> readState();
  Result<void> checkSizes() const;
  Result<void> checkTable() const;
  Result<void> chooseType();
  uint64_t elements() const { return rowCount * columnCount; }
  uint64_t blocks() const { return (elements() + blockSize - 1) / blockSize; }
  bool isNested() const { return nestedBlockSize != 0; }
  float absmax(uint64_t block) const;
  Result<float> checkedAbsmax(uint64_t block) const;
  float value(uint64_t element, float absmax) const;
  Result<TensorBytes> readBlocks() const;
  Result<TensorBytes> readValues() const;

  std::string name;
  BnbFourBitParts parts;
  Table table = Table::kNf4;
  formats::TensorType valueType = formats::TensorType::kF16; ///< that bitsandbytes rounds to
  formats::TensorType answered = formats::TensorType::kNf4;
  bool widened = false;
  uint64_t rowCount = 0, columnCount = 0;
  uint64_t blockSize = 0;
  uint64_t nestedBlockSize = 0; ///< 0: magnitudes are plain
  float nestedOffset = 0;
};

} // namespace llcuda::ingest
