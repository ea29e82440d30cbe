// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/block_run.h"

#include <algorithm>
#include <set>

#include "codegen/sass/sass_cost.h"
#include "codegen/sass/warp_integers.h"

namespace llcuda::codegen {
namespace {

constexpr size_t kMostInstructions = 400'000; ///< of a warp

/// Sums over the executions of an instruction.
struct Uses {
  double executions = 0, known = 0;
  SassAccess access;
};

constexpr uint64_t kSectorBytes = 32;

/// Global loads of all warps whose addresses are known.
struct BlockLoads {
  double bytes = 0; ///< of all lanes
  std::set<uint64_t> sectors;

  void add(uint64_t address, uint32_t width) {
    bytes += width;
    for (uint64_t at = address / kSectorBytes; at <= (address + width - 1) / kSectorBytes; ++at) sectors.insert(at);
  }
  double share() const {
    return bytes == 0 ? 1 : std::min(static_cast<double>(sectors.size() * kSectorBytes) / bytes, 1.);
  }
};

class Warp : WarpIntegers {
public:
  Warp(const std::vector<Decoded>& program, const SassLaunch& launch, uint32_t warp, std::vector<Uses>& uses,
       BlockLoads& loads)
      : WarpIntegers(launch.constants), program(program), launch(launch), firstThread(warp * kLanes), uses(uses),
        loads(loads) {
    const uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
    for (uint32_t lane = 0; lane < kLanes; ++lane) places[lane] = firstThread + lane < threads ? 0 : program.size();
  }

  /// Lanes that stand first go on, so that those which branched apart meet again.
  std::vector<uint32_t> run() {
    std::vector<uint32_t> trace;
    while (trace.size() < kMostInstructions) {
      const size_t place = *std::ranges::min_element(places);
      if (place >= program.size())
        break;
      lanes = 0;
      for (uint32_t lane = 0; lane < kLanes; ++lane) lanes |= uint32_t{places[lane] == place} << lane;
      trace.push_back(static_cast<uint32_t>(place));
      step(place);
    }
    return trace;
  }

private:
  void step(size_t place) {
    const Decoded& d = program[place];
    ++uses[place].executions;
    Flags guard = {kAllLanes, kAllLanes};
    if (d.guard)
      guard = flags(*d.guard);
    sure = lanes & guard.known & guard.at;
    perhaps = lanes & ~guard.known;
    for (uint32_t lane = 0; lane < kLanes; ++lane)
      if ((lanes >> lane & 1) != 0)
        places[lane] = place + 1;
    const auto is = [&](auto... names) { return ((d.name == names) || ...); };
    if (is("BRA", "EXIT", "RET", "CALL", "BRX"))
      return branch(d);
    if (is("S2R", "S2UR"))
      return special(d);
    if (is("LDL"))
      return loadLocal(d);
    if (is("STL"))
      return storeLocal(d);
    if (runInteger(d))
      return;
    access(d, uses[place]);
    forget(d);
  }

  void branch(const Decoded& d) {
    uint32_t taken = sure; // not where it is not known whether
    if (d.name == "BRA")
      for (const SassOperand& source : d.sources)
        if (source.isPredicate())
          taken &= flags(source).at & flags(source).known;
    const size_t to = d.name == "BRA" && d.instruction->target ? *d.instruction->target : program.size();
    if (d.name == "CALL" && taken != 0)
      places.fill(program.size()); // a routine's results are not known, nor where it would go on
    for (uint32_t lane = 0; lane < kLanes; ++lane)
      if ((taken >> lane & 1) != 0)
        places[lane] = to;
  }
  void special(const Decoded& d) {
    const std::string_view name = d.sources[0].name;
    Value result;
    if (name.starts_with("SR_CTAID") || name == "SR_CgaCtaId")
      result = everywhere(0);
    const auto& block = launch.block;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const uint32_t thread = firstThread + lane;
      result.at[lane] = name == "SR_TID.X"    ? thread % block[0]
                        : name == "SR_TID.Y"  ? thread / block[0] % block[1]
                        : name == "SR_TID.Z"  ? thread / block[0] / block[1]
                        : name == "SR_LANEID" ? lane
                                              : 0;
    }
    if (name.starts_with("SR_TID") || name == "SR_LANEID")
      result.known = kAllLanes;
    write(d, result);
  }
  /// The address of each lane; not known without the base.
  Value baseOf(const SassOperand& operand, bool wide, std::array<uint64_t, kLanes>& addresses) const {
    SassOperand base;
    base.kind = SassOperand::Kind::kRegister;
    base.index = operand.index;
    const bool pair = wide && operand.pair && base.index != SassOperand::kZero;
    Value low = value(base);
    const Value high = pair ? value(base, 1) : everywhere(0);
    base.uniform = true;
    base.index = operand.added;
    const bool addedPair = wide && base.index != SassOperand::kZero;
    const Value added = value(base), addedHigh = addedPair ? value(base, 1) : everywhere(0);
    low.known &= high.known & added.known & addedHigh.known;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const auto offset = static_cast<uint64_t>(int64_t{static_cast<int32_t>(operand.value)});
      addresses[lane] = (uint64_t{high.at[lane]} << 32) + uint64_t{low.at[lane]} * operand.scale +
                        (uint64_t{addedHigh.at[lane]} << 32) + added.at[lane] + offset;
    }
    return low;
  }

  const SassOperand* addressOf(const Decoded& d) const {
    const auto found = std::ranges::find(d.sources, SassOperand::Kind::kAddress, &SassOperand::kind);
    return found == d.sources.end() ? nullptr : &*found;
  }

  void access(const Decoded& d, Uses& use) {
    const bool global = d.name == "LDG" || d.name == "STG";
    const bool shared = d.name == "LDS" || d.name == "STS" || d.name == "LDSM";
    const SassOperand* operand = global || shared ? addressOf(d) : nullptr;
    std::array<uint64_t, kLanes> addresses;
    if (!operand)
      return;
    const Value base = baseOf(*operand, global, addresses);
    uint32_t active = sure | perhaps;
    if (d.name == "LDSM" && !d.has("4")) // whose first lanes have the addresses
      active &= d.has("2") ? 0xffff : 0xff;
    if ((base.known & active) != active)
      return;
    const uint32_t width = widthOf(d), group = std::min(kLanes, 128 / width);
    for (uint32_t first = 0; first < kLanes; first += group) {
      std::vector<uint64_t> of;
      for (uint32_t lane = first; lane < first + group; ++lane)
        if ((active >> lane & 1) != 0)
          of.push_back(addresses[lane]);
      if (d.name == "LDG")
        for (const uint64_t address : of) loads.add(address, width);
      use.access.bytes64 += global ? globalAccessBytes(of, width, 64) : sharedAccessBytes(of, width);
      use.access.bytes128 += global ? globalAccessBytes(of, width, 128) : sharedAccessBytes(of, width);
    }
    ++use.known;
  }

  void loadLocal(const Decoded& d) {
    const std::optional<uint32_t> at = localAddress(d);
    for (uint32_t word = 0; word < registersOf(d); ++word) write(d, at ? local[*at + 4 * word] : Value{}, word);
  }
  void storeLocal(const Decoded& d) {
    const std::optional<uint32_t> at = localAddress(d);
    if (!at)
      return local.clear();
    for (uint32_t word = 0; word < registersOf(d); ++word) {
      Value& kept = local[*at + 4 * word];
      const Value stored = value(d.sources.back(), word);
      for (uint32_t lane = 0; lane < kLanes; ++lane)
        if ((sure >> lane & 1) != 0)
          kept.at[lane] = stored.at[lane];
      kept.known = (kept.known & ~sure & ~perhaps) | (stored.known & sure);
    }
  }
  /// Where all lanes have the same.
  std::optional<uint32_t> localAddress(const Decoded& d) const {
    std::array<uint64_t, kLanes> addresses;
    const SassOperand* operand = addressOf(d);
    if (!operand || baseOf(*operand, false, addresses).known != kAllLanes)
      return {};
    const bool same = std::ranges::all_of(addresses, [&](uint64_t of) { return of == addresses[0]; });
    return same ? std::optional(static_cast<uint32_t>(addresses[0])) : std::nullopt;
  }

  const std::vector<Decoded>& program;
  const SassLaunch& launch;
  const uint32_t firstThread;
  std::vector<Uses>& uses;
  BlockLoads& loads;
  std::array<size_t, kLanes> places{}; // of the next instruction
  std::map<uint32_t, Value> local;     // memory, by words
};

} // namespace

double globalAccessBytes(std::span<const uint64_t> addresses, uint32_t width, uint32_t path) {
  std::set<uint64_t> pieces;
  for (const uint64_t address : addresses) pieces.insert({address / path, (address + width - 1) / path});
  return pieces.empty() ? 0 : std::max(128., static_cast<double>(pieces.size()) * path);
}

double sharedAccessBytes(std::span<const uint64_t> addresses, uint32_t width) {
  constexpr uint32_t kBanks = 32;
  std::array<std::set<uint64_t>, kBanks> words;
  for (const uint64_t address : addresses)
    for (uint64_t word = address / 4; word <= (address + width - 1) / 4; ++word) words[word % kBanks].insert(word);
  size_t most = 0;
  for (const auto& bank : words) most = std::max(most, bank.size());
  return static_cast<double>(most) * 128;
}

BlockRun runBlock(SassListing& listing, const SassLaunch& launch) {
  std::vector<Decoded> program;
  for (const SassInstruction& instruction : listing.instructions) program.push_back(decode(instruction));
  std::vector<Uses> uses(program.size());
  const uint32_t warps = (launch.block[0] * launch.block[1] * launch.block[2] + kLanes - 1) / kLanes;
  BlockRun run;
  BlockLoads loads;
  for (uint32_t warp = 0; warp < warps; ++warp) {
    std::vector<uint32_t> trace = Warp(program, launch, warp, uses, loads).run();
    if (warp == 0)
      run.trace = std::move(trace);
  }
  run.loadShare = loads.share();
  for (size_t i = 0; i < uses.size(); ++i) {
    run.executions.push_back(uses[i].executions / warps);
    if (uses[i].known > 0)
      listing.instructions[i].access = {uses[i].access.bytes64 / uses[i].known,
                                        uses[i].access.bytes128 / uses[i].known};
  }
  return run;
}

std::vector<SassInstruction> turnOf(const SassListing& listing, const SassLoop& loop, const BlockRun& run) {
  const auto begins = [&](size_t i) { return run.trace[i] == loop.first && run.trace[i - 1] == loop.last; };
  std::vector<size_t> turns; // but the first
  for (size_t i = 1; i < run.trace.size(); ++i)
    if (begins(i))
      turns.push_back(i);
  std::vector<SassInstruction> turn;
  if (turns.size() < 2) {
    for (size_t i = loop.first; i <= loop.last; ++i) turn.push_back(listing.instructions[i]);
    return turn;
  }
  for (size_t i = turns[(turns.size() - 1) / 2]; i < run.trace.size(); ++i) {
    turn.push_back(listing.instructions[run.trace[i]]);
    if (run.trace[i] == loop.last)
      break;
  }
  return turn;
}

} // namespace llcuda::codegen
