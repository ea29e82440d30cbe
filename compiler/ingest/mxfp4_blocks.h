// SPDX-License-Identifier: Apache-2.0
// Weights in MXFP4 as transformers stores them: `<name>_blocks` of 16 bytes for each 32 inputs, and `<name>_scales`.
#pragma once

#include <string>

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/safetensors_reader.h"

namespace llcuda::ingest {

class Mxfp4Blocks {
public:
  /// Both are U8, blocks {..., rows, inputs / 32, 16} and scales the same without the last; else kBadInput. The tensors
  /// must outlive this.
  static Result<Mxfp4Blocks> open(const SafetensorsTensor& blocks, const SafetensorsTensor& scales);

  TensorInfo describe(std::string name) const;
  /// As blocks of codegen/formats/mxfp4.h: of their bytes the low half is elements 0 ... 15, here it is the even ones.
  /// A scale of 255, which is no number, is kBadInput.
  Result<TensorBytes> read() const;

private:
  Mxfp4Blocks(const SafetensorsTensor& blocks, const SafetensorsTensor& scales) : blocks(&blocks), scales(&scales) {}

  const SafetensorsTensor *blocks, *scales;
};

} // namespace llcuda::ingest
