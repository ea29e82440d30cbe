// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace llcuda {

enum class LogLevel : int { kInfo = 0, kWarning = 1 };

/// Where a library says what is not an error: one line, no newline. Libraries never print; an empty sink says nothing.
using LogSink = std::function<void(LogLevel, std::string_view)>;

} // namespace llcuda
