// SPDX-License-Identifier: Apache-2.0
// What a layout brings to pack.cpp: how a row is packed from an encoding, and how it is read back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codegen/formats/tensor_type.h"
#include "codegen/formats/weight_layout.h"
#include "runtime/base/result.h"

namespace llcuda::pack {

/// The parts of a row, or of a block of it, in the planes of a weight.
template <typename Byte>
struct PlanePointers {
  Byte *codes, *high, *scales, *supers;

  /// Those of block `block` of the layout further on.
  PlanePointers at(WeightLayout layout, uint64_t block) const {
    const WeightBlockBytes bytes = weightBlockBytes(layout);
    return {codes + block * bytes.codes, high + block * bytes.high, scales + block * bytes.scales,
            supers + block * bytes.supers};
  }
};
using PackedRow = PlanePointers<std::byte>;
using PackedRowView = PlanePointers<const std::byte>;

/// Packs a row of an encoding.
struct RowPacker {
  WeightLayout layout;
  formats::TensorType source;
  Result<void> (*pack)(const std::byte* row, uint64_t columns, const PackedRow& to);
};

/// Reads a row of a layout.
struct RowUnpacker {
  WeightLayout layout;
  void (*unpack)(const PackedRowView& row, uint64_t columns, float* out);
};

std::span<const RowPacker> denseRowPackers();
std::span<const RowUnpacker> denseRowUnpackers();

/// Encodings of blocks of 32.
std::span<const RowPacker> blockRowPackers();
std::span<const RowUnpacker> blockRowUnpackers();

/// Encodings of blocks of 256.
std::span<const RowPacker> superblockRowPackers();
std::span<const RowUnpacker> superblockRowUnpackers();

/// NF4 and FP4.
std::span<const RowPacker> fourBitRowPackers();
std::span<const RowUnpacker> fourBitRowUnpackers();

/// Encodings that become s8_planes.
std::span<const RowPacker> signedByteRowPackers();
std::span<const RowUnpacker> signedByteRowUnpackers();

} // namespace llcuda::pack
