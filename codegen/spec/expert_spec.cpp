// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/expert_spec.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "codegen/formats/int8_rows.h"
#include "codegen/spec/expert_check.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSize = 1u << 20, kMaxColumns = 1u << 16, kSumThreads = 128, kSortCounts = 8192;

} // namespace

Result<void> checkRoute(const RouteDesc& desc) {
  return checkChoices("route", desc.rows, desc.experts, desc.choices);
}

LaunchSpec routeLaunch(const RouteDesc& desc) {
  assert(checkRoute(desc));
  KernelBuilder kernel("route", "codegen/kernels/expert/route.cuh");
  kernel.group("RouteShape", {{"experts", number("e", desc.experts)},
                              {"choices", number("c", desc.choices)},
                              {"normalized", flag("norm", desc.normalized)}});
  kernel.input("logits", "const float*").output("experts", "int*").output("weights", "float*");
  return {kernel.build("route", 32), {desc.rows, 1, 1}, workOf(desc)};
}

uint32_t expertTileRows(uint32_t rows, uint32_t experts, uint32_t choices, bool anyRows) {
  const uint32_t ofEach = rows * choices / std::max(experts, 1u);
  if (anyRows)
    return 32;
  return ofEach > 64 ? 64 : ofEach > 16 ? 32 : 16;
}

Result<void> checkSortChoices(const SortChoicesDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkChoices("sort_choices", desc.rows, desc.experts, desc.choices));
  if (desc.tileRows == 0 || desc.tileRows % 16 != 0 || desc.tileRows > 64)
    return unsupported("sort_choices in tiles of ", desc.tileRows, " rows; kernels exist for 16, 32, 48 and 64");
  return {};
}

LaunchSpec sortChoicesLaunch(const SortChoicesDesc& desc) {
  assert(checkSortChoices(desc));
  // Counts of each warp and expert are in shared memory, 32 KB of them at most.
  const uint32_t most = std::bit_floor(std::min(32u, kSortCounts / desc.experts));
  const uint32_t warps = std::min(most, divideUp(desc.rows * desc.choices, 32));
  KernelBuilder kernel("sort_choices", "codegen/kernels/expert/sort_choices.cuh");
  kernel.group("SortShape", {{"rows", number("r", desc.rows)},
                             {"experts", number("e", desc.experts)},
                             {"choices", number("c", desc.choices)},
                             {"tileRows", number("t", desc.tileRows)},
                             {"tiles", number("n", desc.tiles())},
                             {"warps", number("w", warps)}});
  kernel.input("experts", "const int*").input("positions", "const int*");
  kernel.output("sorted", "int*").output("tile_experts", "int*");
  return {kernel.build("sortChoices", 32 * warps), {1, 1, 1}, workOf(desc)};
}

Result<void> checkSortedRows(const SortedRowsDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkSortChoices(desc.choices));
  if (desc.columns == 0 || desc.columns % 32 != 0 || desc.columns > kMaxColumns)
    return unsupported("sorted_rows of ", desc.columns, " columns; kernels exist for multiples of 32 up to ",
                       kMaxColumns);
  if (uint64_t{desc.choices.sortedRows()} * desc.columns >= uint64_t{1} << 31)
    return unsupported("sorted_rows of ", desc.choices.sortedRows(), " rows of ", desc.columns,
                       " columns: more than 2^31 elements");
  return {};
}

LaunchSpec sortedRowsLaunch(const SortedRowsDesc& desc) {
  assert(checkSortedRows(desc));
  const uint32_t rows = desc.choices.sortedRows(), choices = desc.each ? 1 : desc.choices.choices;
  KernelBuilder kernel("sorted_rows", "codegen/kernels/expert/sorted_rows.cuh");
  const uint32_t threads = desc.halfRows ? std::clamp(divideUp(desc.columns / 4, 32) * 32, 32u, 256u) : kSumThreads;
  if (desc.halfRows)
    kernel.group("RowShape", {{"columns", number("c", desc.columns)}, {"threads", number("t", threads)}});
  else
    kernel.group(
        "RowsShape",
        {{"rows", number("r", rows)}, {"columns", number("c", desc.columns)}, {"threads", number("t", threads)}});
  kernel.constants({number("of", choices)});
  kernel.input("x", "const float*").input("sorted", "const int*");
  if (desc.halfRows) {
    kernel.outputHalfRows("y", true);
    return {kernel.build("sortedHalfRows", threads), {rows, 1, 1}, workOf(desc)};
  }
  kernel.output("y_codes", "int8_t*").output("y_scales", "float2*");
  const uint64_t elements = uint64_t{rows} * desc.columns, each = elementsOfThread(RowOrder::kFragments) * threads;
  return {
      kernel.build("sortedRows", threads), {static_cast<uint32_t>((elements + each - 1) / each), 1, 1}, workOf(desc)};
}

Result<void> checkExpertSum(const ExpertSumDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkChoices("expert_sum", desc.rows, kMaxExperts, desc.choices));
  if (desc.columns == 0 || desc.columns % 4 != 0 || desc.columns > kMaxSize)
    return unsupported("expert_sum of ", desc.columns, " columns; kernels exist for multiples of 4 up to ", kMaxSize);
  return {};
}

LaunchSpec expertSumLaunch(const ExpertSumDesc& desc) {
  assert(checkExpertSum(desc));
  KernelBuilder kernel("expert_sum", "codegen/kernels/expert/expert_sum.cuh");
  kernel.group("ExpertSumShape", {{"choices", number("j", desc.choices)},
                                  {"columns", number("c", desc.columns)},
                                  {"threads", number("t", kSumThreads)}});
  kernel.input("x", "const float*").input("weights", "const float*").output("y", "float*");
  return {
      kernel.build("expertSum", kSumThreads), {divideUp(desc.columns / 4, kSumThreads), desc.rows, 1}, workOf(desc)};
}

} // namespace llcuda::codegen
