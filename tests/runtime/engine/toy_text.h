// SPDX-License-Identifier: Apache-2.0
// A byte-level vocabulary for the toy engine: letters, digits, and the single bytes of a few characters of two to four
// bytes, so that what it generates is cut inside characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/runtime/engine/toy_engine.h"

namespace llcuda::toy {

inline constexpr int32_t kStartToken = 94; // "<|start|>", in front of every text
inline constexpr int32_t kTurnToken = 95;  // "<|turn|>"
inline constexpr int32_t kEndToken = 96;   // "<|end|>", ends an answer

/// Gives the engine this vocabulary and a chat template: <|start|>, then <|turn|>, the first letter of the role, a
/// space and the content for each message.
/// `capitals`: 26 characters in place of A ... Z.
void addText(ToyEngine& engine, std::string_view capitals = {});
/// What JSON and other forms need, for addText().
inline constexpr std::string_view kPunctuation = "{}[]\":-_+/\\<>=()*&%$#@;'^|";

/// The bytes of a token that is not special.
std::string tokenBytes(int32_t token);

} // namespace llcuda::toy
