/* SPDX-License-Identifier: Apache-2.0
 * The plain C border between hostsim and kernel code that was built for the host.
 *
 * hostsim runs the threads of a block one at a time on one operating system thread, and switches between them where
 * they meet: at barriers and warp operations. Kernel code reads where it is from a LlcudaHostContext and calls back
 * through its table. A host image is a shared library that exports LLCUDA_HOST_IMAGE_SYMBOL and imports nothing of
 * hostsim. */
#ifndef LLCUDA_RUNTIME_BASE_HOSTSIM_ABI_H
#define LLCUDA_RUNTIME_BASE_HOSTSIM_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Raised with every change of this file: an image of another version is refused. */
#define LLCUDA_HOST_ABI_VERSION 1u
#define LLCUDA_HOST_IMAGE_SYMBOL "llcudaHostImage"
#define LLCUDA_HOST_WARP_LANES 32u

typedef struct LlcudaHostContext LlcudaHostContext;

typedef struct LlcudaHostDim3 {
  uint32_t x, y, z;
} LlcudaHostDim3;

/* Where the lanes of a warp meet. Each lane leaves a pointer to its own operands; the last one to arrive computes for
 * all of them, and writes results through the pointers. */
typedef struct LlcudaHostWarp {
  void* lanes[LLCUDA_HOST_WARP_LANES];
  const char* operation; /* what the lanes that wait here have called */
  uint32_t arrived;
} LlcudaHostWarp;

/* What kernel code asks of hostsim. Every function belongs to the thread that `context` runs. */
typedef struct LlcudaHostTable {
  /* Returns when all threads of the block have called it: whether the predicate of any of them was not 0. */
  int (*syncThreads)(LlcudaHostContext* context, int predicate);
  /* Lets other threads run until the lane that arrives last at this thread's warp has called releaseWarp. */
  void (*waitInWarp)(LlcudaHostContext* context);
  void (*releaseWarp)(LlcudaHostContext* context);
  /* The shared array that `key` stands for: one for each block, 16-byte aligned, filled with 0xFF when a block starts.
   */
  void* (*sharedArray)(LlcudaHostContext* context, const void* key, size_t bytes);
  /* Ends the launch with an error: `message`, or that the running thread came with `operation` to a warp that waits in
   * another one. Neither returns. */
  void (*fail)(LlcudaHostContext* context, const char* message);
  void (*failMeeting)(LlcudaHostContext* context, const char* operation);
} LlcudaHostTable;

struct LlcudaHostContext {
  uint32_t thread; /* of the block, the running one */
  uint32_t threads;
  LlcudaHostDim3 block, grid; /* index of the block, number of blocks */
  LlcudaHostWarp* warps;
  void* dynamicShared; /* 16-byte aligned */
  const LlcudaHostTable* table;
};

/* Runs the thread that `context` names. `arguments` holds the kernel's parameters: all of them are pointers. */
typedef void (*LlcudaHostBody)(LlcudaHostContext* context, void* const* arguments);

typedef struct LlcudaHostKernel {
  const char* name;
  LlcudaHostBody body;
  uint32_t parameters;
  uint32_t threads; /* per block; a launch with more is refused */
} LlcudaHostKernel;

typedef struct LlcudaHostImage {
  uint32_t abiVersion;
  uint32_t kernelCount;
  const LlcudaHostKernel* kernels;
} LlcudaHostImage;

#ifdef __cplusplus
/* The context of the operating system thread: bodies set it, kernel code reads it. Every image has its own. */
__attribute__((tls_model("initial-exec"))) inline constinit thread_local LlcudaHostContext* llcudaHostContext = nullptr;
#endif

#endif
