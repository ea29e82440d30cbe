// SPDX-License-Identifier: Apache-2.0
// A kernel worker seen from its parent.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "codegen/nvrtc/kernel_worker.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// A child process and the socket to it. Destruction kills a child that still works and reaps it.
class WorkerProcess {
public:
  /// `command` starts a program that calls runKernelWorker(kWorkerDescriptor); its standard output is our standard
  /// error.
  static Result<WorkerProcess> start(const std::vector<std::string>& command);

  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&& other) noexcept;
  ~WorkerProcess();

  /// Becomes readable when an answer or the child's end has come.
  int descriptor() const { return fd; }
  /// False when the child is gone; `receive` then says why.
  bool send(const WorkerRequest& request) { return writeFrame(fd, serializeRequest(request)); }
  /// Waits for the answer to the last request. `name` is the kernel's, for messages.
  Result<CompiledKernel> receive(const std::string& name);

private:
  WorkerProcess() = default;
  Error died(const std::string& name);

  pid_t pid = -1;
  int fd = -1;
  bool greeted = false;
};

} // namespace llcuda::codegen
