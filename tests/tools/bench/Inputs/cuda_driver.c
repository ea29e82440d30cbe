// SPDX-License-Identifier: Apache-2.0
// A driver of a GPU of 132 multiprocessors, of which a client of MPS has its share, rounded up. -DREFUSES: clients get
// no context.
#include <stdlib.h>

int cuInit(unsigned flags) {
  return flags != 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = 0;
  return ordinal != 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = context;
#ifdef REFUSES
  if (getenv("CUDA_MPS_PIPE_DIRECTORY"))
    return 805;
#endif
  return device != 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  const char* share = getenv("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE");
  *value = share ? (132 * atoi(share) + 99) / 100 : 132;
  return device != 0 || attribute != 16;
}
