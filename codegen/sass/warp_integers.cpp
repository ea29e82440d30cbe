// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/warp_integers.h"

#include <bit>
#include <cmath>
#include <unordered_map>

namespace llcuda::codegen {
namespace {

/// Sources that are no predicates.
std::vector<SassOperand> numbersOf(const Decoded& d) {
  std::vector<SassOperand> numbers;
  std::ranges::copy_if(d.sources, std::back_inserter(numbers), [](const auto& of) { return !of.isPredicate(); });
  return numbers;
}

} // namespace

WarpIntegers::Handler WarpIntegers::handlerOf(std::string_view name) {
  static const std::unordered_map<std::string_view, Handler> all = {
      {"MOV", &WarpIntegers::move},         {"LDC", &WarpIntegers::move},
      {"CS2R", &WarpIntegers::clear},       {"R2UR", &WarpIntegers::toUniform},
      {"IADD3", &WarpIntegers::add},        {"VIADD", &WarpIntegers::add},
      {"IMAD", &WarpIntegers::multiply},    {"LEA", &WarpIntegers::scaled},
      {"SHF", &WarpIntegers::shift},        {"LOP3", &WarpIntegers::logic},
      {"PLOP3", &WarpIntegers::flagLogic},  {"ISETP", &WarpIntegers::compare},
      {"SEL", &WarpIntegers::select},       {"IMNMX", &WarpIntegers::extreme},
      {"VIMNMX", &WarpIntegers::extreme},   {"VIADDMNMX", &WarpIntegers::extreme},
      {"IABS", &WarpIntegers::absolute},    {"PRMT", &WarpIntegers::permute},
      {"I2F", &WarpIntegers::toFloat},      {"F2I", &WarpIntegers::toInteger},
      {"MUFU", &WarpIntegers::specialFloat}};
  const auto found = all.find(name);
  return found == all.end() ? nullptr : found->second;
}

bool WarpIntegers::runInteger(const Decoded& d) {
  const Handler handler = handlerOf(d.name);
  if (handler)
    (this->*handler)(d);
  return handler != nullptr;
}

std::vector<Flags> WarpIntegers::flagsOf(const Decoded& d) const {
  std::vector<Flags> all;
  for (const SassOperand& of : d.sources)
    if (of.isPredicate())
      all.push_back(flags(of));
  return all;
}

/// Writes make(lane): 32 bits or, to a pair, 64; what is above 32 bits goes to predicates as carries.
template <typename Make>
void WarpIntegers::writeLanes(const Decoded& d, uint32_t known, Make make) {
  Value low, high;
  low.known = high.known = known;
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    const uint64_t result = make(lane);
    low.at[lane] = static_cast<uint32_t>(result);
    high.at[lane] = static_cast<uint32_t>(result >> 32);
  }
  write(d, low);
  if (registersOf(d) == 2)
    write(d, high, 1);
  for (uint32_t i = 0; i < d.flagResults.size(); ++i) {
    Flags carry = {0, known};
    for (uint32_t lane = 0; lane < kLanes; ++lane) carry.at |= uint32_t{high.at[lane] > i} << lane;
    writeFlag(d, i, carry);
  }
}

void WarpIntegers::move(const Decoded& d) {
  if (d.sources.empty() || d.sources[0].kind == SassOperand::Kind::kOther)
    return forget(d);
  for (uint32_t word = 0; word < registersOf(d); ++word) write(d, value(d.sources[0], word), word);
}

void WarpIntegers::clear(const Decoded& d) { // CS2R R4, SRZ
  for (uint32_t word = 0; word < (d.has("32") ? 1 : 2); ++word)
    write(d, d.sources[0].name == "SRZ" ? everywhere(0) : Value{}, word);
}

void WarpIntegers::toUniform(const Decoded& d) {
  const Value from = value(d.sources[0]);
  const auto first = static_cast<uint32_t>(std::countr_zero(lanes));
  write(d, (from.known >> first & 1) != 0 ? everywhere(from.at[first]) : Value{});
}

void WarpIntegers::add(const Decoded& d) {
  const std::vector<SassOperand> numbers = numbersOf(d);
  const std::vector<Flags> carries = d.has("X") ? flagsOf(d) : std::vector<Flags>();
  uint32_t known = kAllLanes;
  std::vector<Value> values;
  for (const SassOperand& of : numbers) values.push_back(value(of)), known &= values.back().known;
  for (const Flags& of : carries) known &= of.known;
  writeLanes(d, known, [&](uint32_t lane) {
    uint64_t sum = 0;
    for (size_t i = 0; i < values.size(); ++i) // -b is ~b + 1, whose carry is one for b = 0
      sum += values[i].at[lane] + (numbers[i].negative && values[i].at[lane] == 0 ? uint64_t{1} << 32 : 0);
    for (const Flags& of : carries) sum += of.at >> lane & 1;
    return sum;
  });
}

void WarpIntegers::multiply(const Decoded& d) {
  const std::vector<SassOperand> numbers = numbersOf(d);
  if (numbers.size() < 3 && !d.has("MOV"))
    return forget(d);
  const bool isSigned = !d.has("U32"), wide = d.has("WIDE"), high = d.has("HI");
  const Value a = value(numbers[0]), b = value(numbers[1]), c = value(numbers[2]);
  const Value upper = wide || high ? value(numbers[2], 1) : everywhere(0);
  uint32_t known = a.known & b.known & c.known & upper.known;
  const auto isZero = [&](const SassOperand& of) {
    return of.index == SassOperand::kZero && of.kind == SassOperand::Kind::kRegister;
  };
  if (isZero(numbers[0]) || isZero(numbers[1]))
    known = c.known & upper.known;
  const std::vector<Flags> carries = d.has("X") ? flagsOf(d) : std::vector<Flags>();
  for (const Flags& of : carries) known &= of.known;
  writeLanes(d, known, [&](uint32_t lane) {
    uint64_t result =
        isSigned ? static_cast<uint64_t>(int64_t{static_cast<int32_t>(a.at[lane])} * static_cast<int32_t>(b.at[lane]))
                 : uint64_t{a.at[lane]} * b.at[lane];
    result += (uint64_t{upper.at[lane]} << 32) + c.at[lane];
    for (const Flags& of : carries) result += of.at >> lane & 1;
    return high ? result >> 32 : result;
  });
}

/// LEA: (a << by) + b, its carry to a predicate. HI: the bits of c and a that leave the lower half, + b.
void WarpIntegers::scaled(const Decoded& d) {
  const std::vector<SassOperand> numbers = numbersOf(d);
  const bool high = d.has("HI"), extends = d.has("SX32");
  const Value a = value(numbers[0]), b = value(numbers[1]);
  const Value c = high && !extends ? value(numbers[2]) : everywhere(0);
  const uint32_t by = numbers.back().value & 31;
  const std::vector<Flags> carries = d.has("X") ? flagsOf(d) : std::vector<Flags>();
  uint32_t known = a.known & b.known & c.known;
  for (const Flags& of : carries) known &= of.known;
  writeLanes(d, known, [&](uint32_t lane) {
    const uint64_t whole = extends ? static_cast<uint64_t>(int64_t{static_cast<int32_t>(a.at[lane])})
                                   : uint64_t{c.at[lane]} << 32 | a.at[lane];
    uint64_t sum = static_cast<uint32_t>(high ? whole << by >> 32 : whole << by);
    sum += b.at[lane];
    for (const Flags& of : carries) sum += of.at >> lane & 1;
    return sum;
  });
}

/// Of the 64 bits that the third and the first source are.
void WarpIntegers::shift(const Decoded& d) {
  const Value a = value(d.sources[0]), by = value(d.sources[1]), c = value(d.sources[2]);
  const bool left = d.has("L"), isSigned = d.has("S32") || d.has("S64"), high = d.has("HI");
  const uint32_t most = d.has("U64") || d.has("S64") ? 63 : 32;
  writeLanes(d, a.known & by.known & c.known, [&](uint32_t lane) {
    const uint64_t both = uint64_t{c.at[lane]} << 32 | a.at[lane];
    const uint32_t count = d.has("W") ? by.at[lane] & (most == 63 ? 63 : 31) : std::min(by.at[lane], most);
    const uint64_t result = left       ? both << count
                            : isSigned ? static_cast<uint64_t>(static_cast<int64_t>(both) >> count)
                                       : both >> count;
    return uint64_t{static_cast<uint32_t>(high ? result >> 32 : result)};
  });
}

void WarpIntegers::logic(const Decoded& d) {
  const std::vector<SassOperand> numbers = numbersOf(d);
  const Value a = value(numbers[0]), b = value(numbers[1]), c = value(numbers[2]);
  const uint32_t table = numbers[3].value, known = a.known & b.known & c.known;
  Value result;
  Flags any = {0, known};
  result.known = known;
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    for (uint32_t i = 0; i < 8; ++i)
      if ((table >> i & 1) != 0)
        result.at[lane] |= ((i & 4) != 0 ? a.at[lane] : ~a.at[lane]) & ((i & 2) != 0 ? b.at[lane] : ~b.at[lane]) &
                           ((i & 1) != 0 ? c.at[lane] : ~c.at[lane]);
    any.at |= uint32_t{result.at[lane] != 0} << lane;
  }
  write(d, result);
  writeFlag(d, 0, any);
}

void WarpIntegers::flagLogic(const Decoded& d) {
  const std::vector<Flags> in = flagsOf(d);
  const std::vector<SassOperand> tables = numbersOf(d);
  for (size_t i = 0; i < d.flagResults.size() && i < tables.size() && in.size() >= 3; ++i) {
    // Known where every value of what is not known gives the same.
    uint32_t canBe = 0, canNotBe = 0;
    for (uint32_t bits = 0; bits < 8; ++bits) {
      uint32_t possible = kAllLanes;
      for (uint32_t k = 0; k < 3; ++k) possible &= ~in[k].known | ((bits >> (2 - k) & 1) != 0 ? in[k].at : ~in[k].at);
      ((tables[i].value >> bits & 1) != 0 ? canBe : canNotBe) |= possible;
    }
    writeFlag(d, i, {canBe, canBe ^ canNotBe});
  }
}

void WarpIntegers::compare(const Decoded& d) {
  const std::vector<SassOperand> numbers = numbersOf(d);
  const std::vector<Flags> in = flagsOf(d); // to combine with, and with EX what the lower halves gave
  const Value a = value(numbers[0]), b = value(numbers[1]);
  const bool isUnsigned = d.has("U32"), extends = d.has("EX");
  Flags result = {0, a.known & b.known & (extends ? in.back().known : kAllLanes)};
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    const int64_t x = isUnsigned ? int64_t{a.at[lane]} : int64_t{static_cast<int32_t>(a.at[lane])};
    const int64_t y = isUnsigned ? int64_t{b.at[lane]} : int64_t{static_cast<int32_t>(b.at[lane])};
    const bool lower = !extends || (in.back().at >> lane & 1) != 0;
    const bool orEqual = x == y && (extends ? lower : d.has("LE") || d.has("GE") || d.has("EQ"));
    const bool is = d.has("EQ")                  ? orEqual
                    : d.has("NE")                ? x != y || (extends && lower)
                    : d.has("LT") || d.has("LE") ? x < y || orEqual
                                                 : x > y || orEqual;
    result.at |= uint32_t{is} << lane;
  }
  const auto combined = [&](uint32_t at) -> Flags {
    const Flags other = in.front();
    if (d.has("OR"))
      return {at | other.at, (result.known & other.known) | (result.known & at) | (other.known & other.at)};
    if (d.has("AND"))
      return {at & other.at, (result.known & other.known) | (result.known & ~at) | (other.known & ~other.at)};
    return {at ^ other.at, result.known & other.known};
  };
  const Flags first = combined(result.at), second = combined(~result.at);
  writeFlag(d, 0, first);
  writeFlag(d, 1, second);
}

void WarpIntegers::select(const Decoded& d) {
  const Flags which = flags(d.sources.back());
  const Value a = value(d.sources[0]), b = value(d.sources[1]);
  writeLanes(d, which.known & ((which.at & a.known) | (~which.at & b.known)),
             [&](uint32_t lane) { return uint64_t{(which.at >> lane & 1) != 0 ? a.at[lane] : b.at[lane]}; });
}

/// The smaller or larger of two, or of the sum of the first two and the third.
void WarpIntegers::extreme(const Decoded& d) {
  const bool adds = d.name == "VIADDMNMX";
  const Flags least = flags(d.sources.back());
  const Value a = value(d.sources[0]), b = value(d.sources[adds ? 2 : 1]);
  const Value added = adds ? value(d.sources[1]) : everywhere(0);
  writeLanes(d, least.known & a.known & b.known & added.known, [&](uint32_t lane) {
    const uint32_t x = a.at[lane] + added.at[lane], y = b.at[lane];
    const bool less = d.has("U32") ? x < y : static_cast<int32_t>(x) < static_cast<int32_t>(y);
    return uint64_t{less == ((least.at >> lane & 1) != 0) ? x : y};
  });
}

void WarpIntegers::absolute(const Decoded& d) {
  SassOperand of = d.sources[0];
  of.absolute = true;
  write(d, value(of));
}

void WarpIntegers::permute(const Decoded& d) {
  if (d.modifiers.size() > 0)
    return forget(d);
  const Value a = value(d.sources[0]), by = value(d.sources[1]), c = value(d.sources[2]);
  writeLanes(d, a.known & by.known & c.known, [&](uint32_t lane) {
    const uint64_t both = uint64_t{c.at[lane]} << 32 | a.at[lane];
    uint64_t result = 0;
    for (uint32_t i = 0; i < 4; ++i) {
      const uint32_t pick = by.at[lane] >> 4 * i & 15;
      const uint32_t byte = both >> 8 * (pick & 7) & 255;
      result |= uint64_t{(pick & 8) == 0 ? byte : (byte & 128) != 0 ? 255u : 0u} << 8 * i;
    }
    return result;
  });
}

template <typename Make>
void WarpIntegers::convert(const Decoded& d, bool can, Make make) {
  const Value from = value(d.sources[0]);
  if (!can)
    return forget(d);
  writeLanes(d, from.known, [&](uint32_t lane) { return uint64_t{make(from.at[lane])}; });
}

void WarpIntegers::toFloat(const Decoded& d) {
  convert(d, d.has("RP") && !d.has("U64"), [&](uint32_t from) { // rounded up
    const double exact = d.has("U32") ? from : static_cast<double>(static_cast<int32_t>(from));
    const auto nearest = static_cast<float>(exact);
    return std::bit_cast<uint32_t>(nearest < exact ? std::nextafter(nearest, INFINITY) : nearest);
  });
}

void WarpIntegers::toInteger(const Decoded& d) {
  convert(d, d.has("TRUNC") && d.has("U32"), [](uint32_t from) {
    const auto number = std::bit_cast<float>(from);
    return number > 0 && number < 0x1p32f ? static_cast<uint32_t>(number) : number > 0 ? kAllLanes : 0;
  });
}

void WarpIntegers::specialFloat(const Decoded& d) {
  convert(d, d.has("RCP"), [](uint32_t from) { return std::bit_cast<uint32_t>(1 / std::bit_cast<float>(from)); });
}

} // namespace llcuda::codegen
