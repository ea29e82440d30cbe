// SPDX-License-Identifier: Apache-2.0
// A linear layer that bitsandbytes stored as LLM.int8: int8 codes and the largest magnitude of each row,
// w = code * SCB / 127.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "compiler/ingest/checkpoint.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

struct BnbInt8Parts {
  uint64_t rows = 0, columns = 0;
  std::span<const std::byte> codes;        ///< `weight`, i8
  std::span<const std::byte> scales;       ///< `SCB`, f32
  std::span<const std::byte> weightFormat; ///< u8, may be absent
};

class BnbInt8 {
public:
  /// Verifies sizes and scales; `name` is that of the weight. The bytes must outlive the layer.
  static Result<BnbInt8> open(std::string name, const BnbInt8Parts& parts);

  /// Q8_0, whose f16 scale moves a row by at most 2^-12 of its values; f32 where rows are no whole blocks or a scale
  /// is out of the range where f16 is that exact.
  formats::TensorType type() const { return answered; }
  uint64_t rows() const { return parts.rows; }
  uint64_t columns() const { return parts.columns; }
  bool isWidened() const { return answered == formats::TensorType::kF32; }

  Result<TensorBytes> read() const;

private:
  BnbInt8(std::string name, const BnbInt8Parts& parts) : name(std::move(name)), parts(parts) {}
  float scale(uint64_t row) const; ///< of one code
  bool fitsQ8_0() const;
  void writeBlocks(uint64_t row, std::byte* out) const;
  void writeValues(uint64_t row, std::byte* out) const;

  std::string name;
  BnbInt8Parts parts;
  formats::TensorType answered = formats::TensorType::kQ8_0;
};

} // namespace llcuda::ingest
