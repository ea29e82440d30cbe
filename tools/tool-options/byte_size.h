// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace llcuda::tools {

/// "15GiB", "800 MiB", "16GB", "123456": bytes. Nothing for other text, and for sizes from 2^63 on.
std::optional<uint64_t> parseByteSize(std::string_view text);

} // namespace llcuda::tools
