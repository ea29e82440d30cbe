// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/edits_spec.h"

#include "codegen/kernels/elementwise/edit_tiles.h"
#include "codegen/spec/kernel_builder.h"

namespace llcuda::codegen {
namespace {

constexpr auto kThreads = static_cast<uint32_t>(kEditThreads);

} // namespace

Result<void> checkEdits(const EditsDesc& desc) {
  if (desc.rows > kThreads || desc.tables == 0)
    return unsupported("edits of ", desc.rows, " rows and ", desc.tables, " block tables; the kernel takes up to ",
                       kThreads, " rows and at least one table");
  return {};
}

LaunchSpec applyEditsLaunch(const EditsDesc& desc) {
  assert(checkEdits(desc));
  KernelBuilder kernel("apply_edits", "codegen/kernels/elementwise/apply_edits.cuh");
  kernel.group("EditShape", {{"tables", number("g", desc.tables)}});
  const bool hasRows = desc.rows != 0;
  kernel.input("edits", "const uint8_t*").open().inOut("tokens", "int*", hasRows);
  kernel.inOut("positions", "int*", hasRows).inOut("slots", "int*", hasRows);
  kernel.inOut("sampling", "llcuda::SamplingParams*", hasRows).close().input("sampled", "const int*", hasRows);
  kernel.open().open();
  for (uint32_t t = 0; t < desc.tables; ++t) kernel.output("block_table_" + std::to_string(t), "int*");
  kernel.close().close();
  return {kernel.build("applyEdits", kThreads), {1, 1, 1}, {.rows = hasRows ? desc.rows : 1}};
}

} // namespace llcuda::codegen
