// SPDX-License-Identifier: Apache-2.0
// write_inspected_engine FILE: the toy engine, with numbers of its own in the first kernel.
#include "tests/runtime/engine/toy_engine.h"

int main(int argc, char** argv) {
  if (argc != 2)
    return 1;
  llcuda::toy::ToyEngine engine = llcuda::toy::toyEngine();
  llcuda::fb::KernelT& kernel = *engine.metadata.kernels[0];
  kernel.registers = 47;
  kernel.static_shared_bytes = 1024;
  kernel.dynamic_shared_bytes = 512;
  kernel.spill_bytes = 12;
  llcuda::toy::writeFile(argv[1], llcuda::toy::fileBytes(engine));
}
