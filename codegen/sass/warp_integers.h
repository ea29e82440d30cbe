// SPDX-License-Identifier: Apache-2.0
// Instructions that addresses are made by, carried out lane by lane: moves, integers, predicates, and the conversions
// that divisions by numbers which are no constants go through.
#pragma once

#include "codegen/sass/warp_registers.h"

namespace llcuda::codegen {

class WarpIntegers : public WarpRegisters {
public:
  using WarpRegisters::WarpRegisters;

protected:
  /// False where the instruction is none of these.
  bool runInteger(const Decoded& d);

private:
  using Handler = void (WarpIntegers::*)(const Decoded&);
  static Handler handlerOf(std::string_view name);
  std::vector<Flags> flagsOf(const Decoded& d) const;
  template <typename Make>
  void writeLanes(const Decoded& d, uint32_t known, Make make);
  template <typename Make>
  void convert(const Decoded& d, bool can, Make make);

  void move(const Decoded& d);
  void clear(const Decoded& d);
  void toUniform(const Decoded& d);
  void add(const Decoded& d);
  void multiply(const Decoded& d);
  void scaled(const Decoded& d);
  void shift(const Decoded& d);
  void logic(const Decoded& d);
  void flagLogic(const Decoded& d);
  void compare(const Decoded& d);
  void select(const Decoded& d);
  void extreme(const Decoded& d);
  void absolute(const Decoded& d);
  void permute(const Decoded& d);
  void toFloat(const Decoded& d);
  void toInteger(const Decoded& d);
  void specialFloat(const Decoded& d);
};

} // namespace llcuda::codegen
