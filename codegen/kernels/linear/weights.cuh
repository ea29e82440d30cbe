// SPDX-License-Identifier: Apache-2.0
// WeightTraits of every layout.
#pragma once

#include "codegen/kernels/linear/dense_rows.cuh"
#include "codegen/kernels/linear/q4_0_planes.cuh"
#include "codegen/kernels/linear/q4_1_planes.cuh"
#include "codegen/kernels/linear/q8_0_planes.cuh"
