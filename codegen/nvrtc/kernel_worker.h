// SPDX-License-Identifier: Apache-2.0
// A process that compiles one kernel after another for its parent. The two talk in frames over a socket: the worker
// first says who it is, then answers each request. It ends when the parent closes its side.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codegen/nvrtc/compiled_kernel.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// The descriptor at which a worker finds its end of the socket.
inline constexpr int kWorkerDescriptor = 3;

struct WorkerRequest {
  std::string nvrtcFile;
  std::string name;
  std::string source;
};

/// The body of a worker process; returns the process's exit status.
int runKernelWorker(int fd);

/// What a worker says first: equal in programs that compile a source alike.
std::string workerIdentity();

std::string serializeRequest(const WorkerRequest& request);
std::string serializeReply(const Result<CompiledKernel>& reply);
/// An answer that is not well-formed is an error.
Result<CompiledKernel> parseReply(std::string_view frame);

/// A u64 length and as many bytes. False, or std::nullopt, when the other side is gone or the length is absurd.
bool writeFrame(int fd, std::string_view bytes);
std::optional<std::string> readFrame(int fd);

} // namespace llcuda::codegen
