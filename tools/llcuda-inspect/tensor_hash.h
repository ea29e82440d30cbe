// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace llcuda::inspect {

/// XXH3-64 of the bytes, 16 hexadecimal digits.
std::string hashOf(std::span<const std::byte> bytes);

} // namespace llcuda::inspect
