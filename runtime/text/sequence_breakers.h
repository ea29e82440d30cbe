// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/text/tokenizer.h"

namespace llcuda::text {

/// The ways in which tokens write a string: a token that contains it, or a token that ends with its beginning and,
/// behind that, the tokens of the rest, of which at most `mostTail` count. Strings end after 40 bytes.
std::vector<std::vector<int32_t>> sequenceBreakers(const Tokenizer& tokenizer, std::span<const std::string> strings,
                                                   std::size_t mostTail);

} // namespace llcuda::text
