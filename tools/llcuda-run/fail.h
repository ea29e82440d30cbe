// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "llcuda/llcuda.hpp"
#include "runtime/base/result.h"

namespace llcuda::run {

/// Writes the error to standard error as the program's one line about it. Returns the exit code.
int fail(const api::Error& error);
int fail(const Error& error);

} // namespace llcuda::run
