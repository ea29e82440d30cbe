// SPDX-License-Identifier: Apache-2.0
// What a file really is that is not what its reader expects, so that the error can say what to do.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace llcuda::ingest {

/// One sentence with the remedy for an empty file and for bytes that start like another well-known kind of file;
/// `wanted` is "a GGUF file". Nothing for bytes that are none of these.
std::optional<Error> foreignFile(const std::string& path, std::span<const std::byte> bytes, std::string_view wanted);

} // namespace llcuda::ingest
