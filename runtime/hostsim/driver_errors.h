// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/cuda/cuda_abi.h"

namespace llcuda::hostsim {

struct ErrorText {
  cuda::CUresult result;
  const char* name;
  const char* text;
};

/// Null when hostsim never gives this result.
const ErrorText* errorText(cuda::CUresult result);

} // namespace llcuda::hostsim
