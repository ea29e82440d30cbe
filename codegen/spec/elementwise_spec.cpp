// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/elementwise_spec.h"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kThreads = 128;

std::string headerOf(const std::string& op) {
  return "codegen/kernels/elementwise/" + op + ".cuh";
}

void addShape(KernelBuilder& kernel, uint32_t elements) {
  kernel.group("FlatShape", {{"elements", number("n", elements)}, {"threads", number("t", kThreads)}});
}

/// y[i] = f(x[i], constant)
LaunchSpec constantLaunch(const char* op, const ElementsDesc& desc, float constant) {
  assert(checkElements(op, desc));
  const uint32_t count = desc.rows * desc.columns;
  KernelBuilder kernel(op, headerOf(op));
  addShape(kernel, count);
  kernel.input("x", "const float*").output("y", "float*").value(real("c", constant));
  return {kernel.build(op, kThreads), {divideUp(count, kThreads), 1, 1}, elementsWork(desc, 1)};
}

} // namespace

Result<void> checkElements(const char* op, const ElementsDesc& desc) {
  const uint64_t count = uint64_t{desc.rows} * desc.columns;
  if (count == 0 || count >= uint64_t{1} << 31)
    return unsupported(op, " of ", desc.rows, " rows of ", desc.columns,
                       " columns; kernels exist for 1 to 2^31 - 1 "
                       "elements");
  const std::string_view name = op;
  if ((name == "add" || name == "pick_rows" || name == "sum_rows") && desc.columns % 4 != 0)
    return unsupported(op, " of ", desc.columns, " columns; kernels exist for multiples of 4");
  return {};
}

LaunchSpec addLaunch(const ElementsDesc& desc) {
  assert(checkElements("add", desc));
  const uint32_t fours = desc.rows * (desc.columns / 4);
  KernelBuilder kernel("add", headerOf("add"));
  addShape(kernel, 4 * fours);
  kernel.input("a", "const float*").input("b", "const float*").output("y", "float*");
  return {kernel.build("add", kThreads), {divideUp(fours, kThreads), 1, 1}, elementsWork(desc, 2)};
}

LaunchSpec scaleLaunch(const ElementsDesc& desc, float factor) {
  return constantLaunch("scale", desc, factor);
}

LaunchSpec softcapLaunch(const ElementsDesc& desc, float cap) {
  return constantLaunch("softcap", desc, cap);
}

LaunchSpec pickRowsLaunch(const ElementsDesc& desc) {
  assert(checkElements("pick_rows", desc));
  const uint32_t threads = std::clamp(divideUp(desc.columns / 4, 32) * 32, 32u, 256u);
  KernelBuilder kernel("pick_rows", headerOf("pick_rows"));
  kernel.group("RowShape", {{"columns", number("c", desc.columns)}, {"threads", number("t", threads)}});
  kernel.input("x", "const float*").input("output_rows", "const int*").output("y", "float*");
  return {kernel.build("pickRows", threads), {desc.rows, 1, 1}, elementsWork(desc, 1)};
}

Result<void> checkTakeColumns(const TakeDesc& desc) {
  if (desc.count == 0 || desc.first > desc.group || desc.count > desc.group - desc.first || desc.count % 4 != 0 ||
      desc.group % 4 != 0 || desc.first % 4 != 0 || desc.result.columns % desc.count != 0)
    return unsupported("take_columns of ", desc.count, " of ", desc.group, " columns from ", desc.first,
                       "; kernels exist for multiples of 4");
  return checkElements("take_columns", desc.result);
}

LaunchSpec takeColumnsLaunch(const TakeDesc& desc) {
  assert(checkTakeColumns(desc));
  const uint32_t elements = desc.result.rows * desc.result.columns;
  KernelBuilder kernel("take_columns", headerOf("take_columns"));
  kernel.group("TakeShape", {{"elements", number("n", elements)},
                             {"count", number("c", desc.count)},
                             {"group", number("g", desc.group)},
                             {"first", number("f", desc.first)},
                             {"threads", number("t", kThreads)}});
  kernel.input("x", "const float*").output("y", "float*");
  return {
      kernel.build("takeColumns", kThreads), {divideUp(elements / 4, kThreads), 1, 1}, elementsWork(desc.result, 1)};
}

LaunchSpec sumRowsLaunch(const ElementsDesc& desc, uint32_t mostRows) {
  assert(checkElements("sum_rows", desc));
  KernelBuilder kernel("sum_rows", headerOf("sum_rows"));
  kernel.group("RowShape", {{"columns", number("c", desc.columns)}, {"threads", number("t", kThreads)}});
  kernel.input("x", "const float*").input("pool_rows", "const int*").output("pooled", "float*");
  const uint32_t blocks = divideUp(desc.columns / 4, kThreads);
  return {kernel.build("sumRows", kThreads), {blocks, desc.rows, 1}, elementsWork(desc, mostRows)};
}

} // namespace llcuda::codegen
