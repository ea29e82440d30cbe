// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/elementwise_spec.h"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "codegen/spec/call_builder.h"
#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kThreads = 128;

KernelSpec kernelOf(const char* op, std::string shape, uint32_t threads) {
  KernelSpec kernel;
  kernel.op = op;
  kernel.format = "f32";
  kernel.shape = std::move(shape);
  kernel.tile = "t" + std::to_string(threads);
  kernel.header = std::string("codegen/kernels/elementwise/") + op + ".cuh";
  kernel.threads = threads;
  return kernel;
}

/// y[i] = f(x[i], constant)
LaunchSpec constantLaunch(const char* op, const ElementsDesc& desc, float constant) {
  assert(checkElements(op, desc));
  const uint32_t count = desc.rows * desc.columns;
  KernelSpec kernel = kernelOf(op, "n" + std::to_string(count) + "_c" + bitsText(constant), kThreads);
  CallBuilder call(kernel);
  call.input("x", "const float*");
  call.output("y", "float*");
  call.value(floatLiteral(constant));
  call.call(op + ("<" + listText(count, kThreads)) + ">");
  return {kernel, {divideUp(count, kThreads), 1, 1}};
}

} // namespace

Result<void> checkElements(const char* op, const ElementsDesc& desc) {
  const uint64_t count = uint64_t{desc.rows} * desc.columns;
  if (count == 0 || count >= uint64_t{1} << 31)
    return unsupported(op, " of ", desc.rows, " rows of ", desc.columns,
                       " columns; kernels exist for 1 to 2^31 - 1 "
                       "elements");
  const std::string_view name = op;
  if ((name == "add" || name == "pick_rows") && desc.columns % 4 != 0)
    return unsupported(op, " of ", desc.columns, " columns; kernels exist for multiples of 4");
  return {};
}

LaunchSpec addLaunch(const ElementsDesc& desc) {
  assert(checkElements("add", desc));
  const uint32_t fours = desc.rows * (desc.columns / 4);
  KernelSpec kernel = kernelOf("add", "n" + std::to_string(4 * fours), kThreads);
  CallBuilder call(kernel);
  call.input("a", "const float*");
  call.input("b", "const float*");
  call.output("y", "float*");
  call.call("add<" + listText(fours, kThreads) + ">");
  return {kernel, {divideUp(fours, kThreads), 1, 1}};
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
  KernelSpec kernel = kernelOf("pick_rows", "c" + std::to_string(desc.columns), threads);
  CallBuilder call(kernel);
  call.input("x", "const float*");
  call.input("output_rows", "const int*");
  call.output("y", "float*");
  call.call("pickRows<" + listText(desc.columns, threads) + ">");
  return {kernel, {desc.rows, 1, 1}};
}

} // namespace llcuda::codegen
