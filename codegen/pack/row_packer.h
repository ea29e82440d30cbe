// SPDX-License-Identifier: Apache-2.0
// What one layout brings to pack.cpp: how a row is packed from an encoding, and how it is read back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codegen/formats/tensor_type.h"
#include "codegen/formats/weight_layout.h"

namespace llcuda::pack {

/// Packs a row of an encoding: `codes` and `scales` are the row's parts of the two planes.
struct RowPacker {
  WeightLayout layout;
  formats::TensorType source;
  void (*pack)(const std::byte* row, uint64_t columns, std::byte* codes, std::byte* scales);
};

std::span<const RowPacker> denseRowPackers();
std::span<const RowPacker> planeRowPackers();

void unpackDenseRow(WeightLayout layout, const std::byte* codes, uint64_t columns, float* out);
void unpackPlaneRow(WeightLayout layout, const std::byte* codes, const std::byte* scales, uint64_t columns, float* out);

} // namespace llcuda::pack
