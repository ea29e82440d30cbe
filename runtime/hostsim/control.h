/* SPDX-License-Identifier: Apache-2.0
 * What libllcuda-hostsim.so exports beside the functions of a CUDA driver: for tests and for tools that choose how many
 * processors it uses. Plain C; find them with dlsym. Any thread may call. */
#ifndef LLCUDA_RUNTIME_HOSTSIM_CONTROL_H
#define LLCUDA_RUNTIME_HOSTSIM_CONTROL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The `nth` call from now (1 is the next one) of the driver function of this name gives `result` and does nothing else.
 * NULL stands for any driver function; cuGetErrorName and cuGetErrorString are not counted and never fail. One fault is
 * armed at a time; an nth of 0 disarms it. Gives 0 when there is no such function. */
int llcudaHostsimInjectFault(const char* function, uint64_t nth, int result);

/* Calls of the driver function of this name, NULL for all, since the library was loaded. */
uint64_t llcudaHostsimCallCount(const char* function);

/* Whether the armed fault has struck. */
int llcudaHostsimFaultStruck(void);

/* Operating system threads that run blocks; 0 (the default) means one per processor. */
void llcudaHostsimSetThreads(unsigned count);

/* Device memory in bytes; 16 GiB by default. What is allocated stays. */
void llcudaHostsimSetMemory(uint64_t bytes);

/* Allocations, modules, streams, events, graphs and retained contexts that have not been given back. */
uint64_t llcudaHostsimLiveObjects(void);

#ifdef __cplusplus
}
#endif

#endif
