// SPDX-License-Identifier: Apache-2.0
// Tensors by rows of f32: how checkpoints that change values read what they stand over and write what they answer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "compiler/ingest/checkpoint.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// Elements of a row, the contiguous dimension.
uint64_t columnsOf(const TensorInfo& tensor);
uint64_t rowsOf(const TensorInfo& tensor);
/// Bytes of all rows in an encoding whose block divides the columns.
uint64_t encodedBytes(const TensorInfo& tensor, formats::TensorType type);

/// Writes the columns of a row. Called from several threads.
using ReadRow = std::function<void(uint64_t row, float* values)>;

/// The rows of `stored`, which are those of `tensor`; the type is one that `canDequantize`. Keeps the bytes alive.
ReadRow decodedRows(const TensorInfo& tensor, TensorBytes stored);

/// All rows of `tensor` in its type, one that `canQuantize`, made on `threads` threads. A value that is not finite or
/// too large for the encoding is kBadInput or kUnsupported and named by its place; messages lack the tensor's name.
/// `importance` has nothing, or a number for each column of each matrix: of a tensor of three dimensions one after the
/// other.
Result<TensorBytes> encodeRows(const TensorInfo& tensor, const ReadRow& read, unsigned threads,
                               std::span<const float> importance = {});

} // namespace llcuda::ingest
