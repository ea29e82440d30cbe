// SPDX-License-Identifier: Apache-2.0
// The constants that a kernel is specialised with, as its call writes them and as its name shows them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/formats/activation.h"
#include "codegen/formats/int8_rows.h"
#include "codegen/formats/weight_layout.h"

namespace llcuda::codegen {

/// A constant of a kernel.
struct Constant {
  std::string value; ///< in the call, as C++: "576", "llcuda::WeightLayout::kQ4_1Planes"
  std::string shown; ///< in the kernel's name: "k576", "q4_1"; empty: nothing, of a flag that is not set
};
using Constants = std::vector<Constant>;

/// A constant as a member of a struct of the kernel's header.
struct Member {
  std::string name;
  Constant constant;
};
using Members = std::vector<Member>;

/// Shown as <letter><value>.
Constant number(const std::string& letter, uint64_t value);
/// Shown so where it is not 0.
Constant optionalNumber(const std::string& letter, uint64_t value);
/// Shown, if set, as `shown`.
Constant flag(const std::string& shown, bool value);
/// Shown as <letter><bits of the value>: "e3727c5ac".
Constant real(const std::string& letter, float value);
Constant layout(WeightLayout value);
Constant activation(Activation value);
/// Rows by themselves are not shown.
Constant rowOrder(RowOrder value);
/// A struct of constants as a member of another.
Constant asMember(const Members& members);
/// RowForms of codegen/kernels/block/emit_row.cuh.
Members rowForms(bool f32, bool int8, RowOrder order, bool halves = false);

/// Eight digits: "3727c5ac".
std::string hexText(uint32_t bits);

} // namespace llcuda::codegen
