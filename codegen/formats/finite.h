// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "codegen/formats/tensor_type.h"

namespace llcuda::formats {

struct NonFinite {
  uint64_t element = 0;
  float value = 0; ///< NaN or an infinity
};

/// The first value of `blocks`, whole blocks of a type that `canDequantize`, that is no finite number. Looks at the
/// scales of blocks and decodes only those that are suspect: about as fast as memory is read.
std::optional<NonFinite> firstNonFinite(TensorType type, std::span<const std::byte> blocks);

} // namespace llcuda::formats
