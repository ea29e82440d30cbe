// SPDX-License-Identifier: Apache-2.0
// From a model or an engine to a service that answers.
#pragma once

#include <functional>
#include <memory>
#include <variant>

#include <sys/types.h>

#include "runtime/server/api/service.h"
#include "runtime/server/options.h"

namespace llcuda::serve {

/// Compiles a model first where one was given, opens the engine, starts a scheduler. What is to be said goes to
/// standard error; the exit code where it fails. `compiling` is told the compiler's process while it runs, and 0 behind
/// it.
std::variant<std::unique_ptr<server::Service>, int> load(const server::ServerOptions& options,
                                                         const std::function<void(pid_t)>& compiling);

} // namespace llcuda::serve
