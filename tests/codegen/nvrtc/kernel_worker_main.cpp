// SPDX-License-Identifier: Apache-2.0
// The worker that compile_kernels_test.cpp starts.
#include "codegen/nvrtc/kernel_worker.h"

int main() {
  return llcuda::codegen::runKernelWorker(llcuda::codegen::kWorkerDescriptor);
}
