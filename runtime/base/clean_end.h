// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace llcuda {

/// For the main of a program, once, before it has threads. From then on:
/// - SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE and SIGXCPU remove every TemporaryPath before they end the program as
///   ever: a shell sees 128 plus the signal's number. One that was ignored stays ignored.
/// - Reading a mapped file behind its end, because it became shorter meanwhile (SIGBUS), removes them too and ends the
///   program with a sentence that starts with `program`, and exit code 2.
/// - A write behind the limit of a file's size (SIGXFSZ) is an error of that write.
void endCleanly(const std::string& program);

} // namespace llcuda
