// SPDX-License-Identifier: Apache-2.0
// Launch of sample: a row of logits becomes a token as its SamplingParams and what its slot has been told say.
#pragma once

#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct SampleDesc {
  uint32_t outputs = 1; ///< rows of logits
  uint32_t vocabulary = 1;
  uint32_t slots = 1;
  uint32_t context = 1; ///< positions of a slot
  bool decode = true;   ///< row o is row o of the phase and feeds itself; else output_rows says whether it is wanted
};

/// Names what the kernel cannot do. The launch takes only what this lets pass.
Result<void> checkSample(const SampleDesc& desc);

///   logits        const float*    [outputs][vocabulary]
///   sampling      SamplingParams* [outputs]; `step` of a wanted row goes up by one
///   output_rows   const int*      [outputs]: -1 is a row that nobody wants; only in prompt phases
///   positions     int*            [outputs], goes up by one; -1 is a row that nobody wants; only in decode phases
///   tokens        int*            [outputs]: gets the token; only in decode phases
///   slots         const int*      of the rows
///   samplers, history, logit_biases, dry_breakers, masks   of the slots: SampleSlotBytes
///   adjusted      float*          workspace of the size of logits
///   sampling_reports  SamplingReport*  [outputs]
///   partial       uint64_t*       workspace of samplePartialBytes()
///   arrivals      uint32_t*       counter of sampleArrivals() words
///   sampled       int*            [outputs]: gets the token, or what codegen/formats/sampling.h says
LaunchSpec sampleLaunch(const SampleDesc& desc);

/// Of the buffers of all slots.
struct SampleSlotBytes {
  uint64_t samplers, history, logitBiases, dryBreakers, masks;
};
SampleSlotBytes sampleSlotBytes(const SampleDesc& desc);

uint64_t samplePartialBytes(const SampleDesc& desc);
uint32_t sampleArrivals(const SampleDesc& desc);

} // namespace llcuda::codegen
