// SPDX-License-Identifier: Apache-2.0
// What no kernel of a linear does.
#include "codegen/pack/pack.h"
#include "codegen/spec/linear_spec.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSize = 1u << 20, kMaxLowRank = 4096;

Result<void> checkSizes(const LinearDesc& desc, const char* op) {
  if (desc.rows == 0)
    return unsupported(op, " of no rows");
  if (desc.hasFewRows() && desc.rows > kMaxDecodeRows)
    return unsupported(op, " of ", desc.rows, " rows; kernels exist for 1 to ", kMaxDecodeRows);
  if (desc.inputs == 0 || desc.inputs % kWeightBlock != 0 || desc.inputs > kMaxSize)
    return unsupported(op, " of ", desc.inputs, " inputs; kernels exist for multiples of 32 up to ", kMaxSize);
  for (const LinearPart& part : desc.parts) {
    if (part.outputs == 0 || part.outputs > kMaxSize)
      return unsupported(op, " of ", part.outputs, " outputs; kernels exist for 1 to ", kMaxSize);
    if (const unsigned block = weightBlockBytes(part.layout).columns; desc.inputs % block != 0)
      return unsupported(op, " of ", desc.inputs, " inputs; kernels of ", pack::layoutName(part.layout),
                         " exist for multiples of ", block);
    if (!desc.hasFewRows() && desc.parts.size() > 1 && !weightTakesTensorCores(part.layout))
      return unsupported(op, " of ", pack::layoutName(part.layout), "; its linears have launches of their own");
  }
  return {};
}

Result<void> checkLowRank(const LinearDesc& desc, const char* op) {
  bool any = false;
  for (const LinearPart& part : desc.parts) any |= part.lowRank;
  if (any != (desc.lowRank != 0) || desc.lowRank % kWeightBlock != 0 || desc.lowRank > kMaxLowRank)
    return unsupported(op, " with low-rank products of rank ", desc.lowRank,
                       "; kernels exist for multiples of 32 up to ", kMaxLowRank);
  for (const LinearPart& part : desc.parts)
    if (part.lowRank && !desc.hasFewRows() && !weightTakesTensorCores(part.layout))
      return unsupported(op, " of ", pack::layoutName(part.layout), " of many rows with low-rank products");
  return {};
}

Result<void> checkParts(const LinearDesc& desc, const char* op, size_t count) {
  if (desc.parts.size() != count)
    return unsupported(op, " of ", desc.parts.size(), " weights; kernels exist for ", count);
  if (count > 1 && desc.parts[count - 2].outputs != desc.parts[count - 1].outputs)
    return unsupported(op, " of weights of ", desc.parts[count - 2].outputs, " and ", desc.parts[count - 1].outputs,
                       " outputs");
  return {};
}

Result<void> checkOutputs(const char* op, uint32_t outputs, uint32_t most) {
  if (outputs % 32 != 0 || outputs > most)
    return unsupported(op, " of ", outputs, " outputs; kernels exist for multiples of 32 up to ", most);
  return {};
}

Result<void> checkFewRows(const LinearDesc& desc, const char* op) {
  if (!desc.hasFewRows())
    return unsupported(op, " of many rows");
  return {};
}

Result<void> check(const LinearDesc& desc, const char* op, const StoreRows& epilogue) {
  LLCUDA_RETURN_IF_ERROR(checkParts(desc, op, desc.parts.size() == 1 ? 1 : 3));
  if (epilogue.residual && desc.parts.size() > 1)
    return unsupported(op, " with a residual");
  if (epilogue.softcap != 0 && (desc.parts.size() > 1 || !desc.hasFewRows() || desc.lowRank != 0))
    return unsupported(op, " with a softcap");
  return {};
}

Result<void> check(const LinearDesc& desc, const char* op, const NormRows& epilogue) {
  LLCUDA_RETURN_IF_ERROR(checkFewRows(desc, op));
  LLCUDA_RETURN_IF_ERROR(checkParts(desc, op, 1));
  LLCUDA_RETURN_IF_ERROR(checkOutputs(op, desc.parts[0].outputs, 16384));
  if (!epilogue.f32Rows && !epilogue.int8Rows)
    return unsupported(op, " that emits no normed rows");
  if (!epilogue.postNorm && !epilogue.sum.isPlain())
    return unsupported(op, " that scales or emits a sum without a norm before it");
  return {};
}

Result<void> check(const LinearDesc& desc, const char* op, const GateRows& epilogue) {
  LLCUDA_RETURN_IF_ERROR(checkParts(desc, op, 2));
  if (desc.bias)
    return unsupported(op, " with biases");
  if (epilogue.int8Rows || !desc.hasFewRows())
    LLCUDA_RETURN_IF_ERROR(checkOutputs(op, desc.parts[0].outputs, kMaxSize));
  if (!desc.hasFewRows() && desc.parts[0].layout != desc.parts[1].layout)
    return unsupported(op, " of ", pack::layoutName(desc.parts[0].layout), " and ",
                       pack::layoutName(desc.parts[1].layout));
  if (!epilogue.f32Rows && !epilogue.int8Rows)
    return unsupported(op, " that emits no rows");
  return {};
}

Result<void> check(const LinearDesc& desc, const char* op, const TimesRows& epilogue) {
  LLCUDA_RETURN_IF_ERROR(checkFewRows(desc, op));
  LLCUDA_RETURN_IF_ERROR(checkParts(desc, op, 1));
  if (desc.bias || desc.lowRank != 0)
    return unsupported(op, " with biases or low-rank products");
  if (epilogue.int8Rows)
    LLCUDA_RETURN_IF_ERROR(checkOutputs(op, desc.parts[0].outputs, kMaxSize));
  if (!epilogue.f32Rows && !epilogue.int8Rows)
    return unsupported(op, " that emits no rows");
  return checkRowView(op, epilogue.up, desc.parts[0].outputs);
}

Result<void> check(const LinearDesc& desc, const char* op, const RopeCacheRows& epilogue) {
  LLCUDA_RETURN_IF_ERROR(checkFewRows(desc, op));
  LLCUDA_RETURN_IF_ERROR(checkParts(desc, op, 3));
  const uint32_t size = epilogue.headSize, q = desc.parts[0].outputs, kv = desc.parts[1].outputs;
  if (size == 0 || size % 8 != 0 || size > 1024 || q % size != 0 || kv % size != 0)
    return unsupported(op, " of ", q, " and ", kv, " outputs in heads of ", size,
                       "; kernels exist for head sizes of multiples of 8 up to 1024");
  if (epilogue.dimensions % 2 != 0 || epilogue.dimensions > size)
    return unsupported("rope over ", epilogue.dimensions, " elements of heads of ", size);
  return checkKvCache(epilogue.cache, size);
}

} // namespace

Result<void> checkLinear(const LinearDesc& desc) {
  const char* op = linearOp(desc);
  LLCUDA_RETURN_IF_ERROR(std::visit([&](const auto& epilogue) { return check(desc, op, epilogue); }, desc.epilogue));
  LLCUDA_RETURN_IF_ERROR(checkLowRank(desc, op));
  return checkSizes(desc, op);
}

} // namespace llcuda::codegen
