// SPDX-License-Identifier: Apache-2.0
// What the model's files say of sampling, as the defaults of requests; the server's flags and the requests stand over
// it.
#pragma once

#include "llcuda/llcuda.hpp"
#include "runtime/server/api/params.h"

namespace llcuda::server {

inline Params engineDefaults(const api::Engine& engine) {
  const api::Sampler sampler = engine.defaultSampler();
  Params params;
  params.samplers = sampler.stages;
  params.temperature = sampler.temperature;
  params.topK = sampler.topK;
  params.topP = sampler.topP;
  params.minP = sampler.minP;
  params.typicalP = sampler.typicalP;
  params.xtcProbability = sampler.xtcProbability;
  params.xtcThreshold = sampler.xtcThreshold;
  params.repeatLastN = sampler.repeatLastN;
  params.repeatPenalty = sampler.repeatPenalty;
  params.mirostat = sampler.mirostat;
  params.mirostatTau = sampler.mirostatTau;
  params.mirostatEta = sampler.mirostatEta;
  return params;
}

} // namespace llcuda::server
