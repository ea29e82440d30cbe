// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/edits_spec.h"

#include "codegen/kernels/elementwise/edit_tiles.h"
#include "codegen/spec/kernel_builder.h"

namespace llcuda::codegen {
namespace {

constexpr auto kThreads = static_cast<uint32_t>(kEditThreads);

} // namespace

Result<void> checkEdits(const EditsDesc& desc) {
  if (desc.rows == 0 || desc.rows > kThreads || desc.tables == 0)
    return unsupported("edits of ", desc.rows, " rows and ", desc.tables, " block tables; the kernel takes 1 to ",
                       kThreads, " rows and at least one table");
  return {};
}

LaunchSpec applyEditsLaunch(const EditsDesc& desc) {
  assert(checkEdits(desc));
  KernelBuilder kernel("apply_edits", "codegen/kernels/elementwise/apply_edits.cuh");
  kernel.group("EditShape", {{"tables", number("g", desc.tables)}});
  kernel.input("edits", "const uint8_t*").open().inOut("tokens", "int*").inOut("positions", "int*");
  kernel.inOut("slots", "int*").inOut("sampling", "llcuda::SamplingParams*").close().input("sampled", "const int*");
  kernel.open().open();
  for (uint32_t t = 0; t < desc.tables; ++t) kernel.output("block_table_" + std::to_string(t), "int*");
  kernel.close().close();
  return {kernel.build("applyEdits", kThreads), {1, 1, 1}, {.rows = desc.rows}};
}

} // namespace llcuda::codegen
