// SPDX-License-Identifier: Apache-2.0
// WeightTraits of every layout.
#pragma once

#include "codegen/kernels/linear/dense_rows.cuh"
#include "codegen/kernels/linear/four_bit_planes.cuh"
#include "codegen/kernels/linear/iq4_nl_planes.cuh"
#include "codegen/kernels/linear/iq4_xs_planes.cuh"
#include "codegen/kernels/linear/mxfp4_planes.cuh"
#include "codegen/kernels/linear/q2_k_planes.cuh"
#include "codegen/kernels/linear/q3_k_planes.cuh"
#include "codegen/kernels/linear/q4_0_planes.cuh"
#include "codegen/kernels/linear/q4_1_planes.cuh"
#include "codegen/kernels/linear/q4_k_planes.cuh"
#include "codegen/kernels/linear/q5_0_planes.cuh"
#include "codegen/kernels/linear/q5_1_planes.cuh"
#include "codegen/kernels/linear/q5_k_planes.cuh"
#include "codegen/kernels/linear/q6_k_planes.cuh"
#include "codegen/kernels/linear/q8_0_planes.cuh"
#include "codegen/kernels/linear/s8_planes.cuh"
#include "codegen/kernels/linear/tq2_0_planes.cuh"
