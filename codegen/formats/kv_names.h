// SPDX-License-Identifier: Apache-2.0
// Types of keys and values by their names, which are those of encodings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codegen/formats/kv_type.h"
#include "codegen/formats/tensor_type.h"

namespace llcuda {

/// All of them, the largest first.
std::span<const KvType> kvTypes();

/// The encoding of the same numbers.
formats::TensorType kvEncoding(KvType type);
/// "q8_0"
std::string_view kvTypeName(KvType type);
/// As sources write it: "kQ8_0".
std::string_view kvTypeEnumerator(KvType type);

/// Nothing for an encoding that no cache has.
std::optional<KvType> kvTypeOf(formats::TensorType encoding);
std::optional<KvType> kvTypeByName(std::string_view name);

/// Their names, for messages and helps: "f16, q8_0 and q4_0".
std::string kvTypeList();

} // namespace llcuda
