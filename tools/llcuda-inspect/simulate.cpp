// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-inspect/simulate.h"

#include <algorithm>
#include <cstdio>

#include "codegen/sass/cubin.h"
#include "codegen/sass/launch_model.h"
#include "codegen/sass/multiprocessor.h"
#include "codegen/spec/t4.h"
#include "tools/llcuda-inspect/text_table.h"

namespace llcuda::inspect {
namespace {

using namespace codegen;

constexpr double kUnitOfWork = 524'288; ///< multiply-adds: a step of 64 inputs of 128 x 64 outputs

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

struct Resources {
  uint32_t warps, registers, sharedBytes;
};

const std::vector<std::string> kHead = {"kernel", "loop",   "instr",    "warps",  "cycles",     "cycles/524288 MAC",
                                        "@ 1590", "@ 1100", "shared",   "global", "cycles/KiB", "issue %",
                                        "fma %",  "alu %",  "tensor %", "path %"};

bool multiplies(const SassCost& cost) {
  return std::ranges::any_of(cost.multiplyAdds, [](double count) { return count > 0; });
}

/// Of a block that is so many turns of so many instructions of `loop`.
std::vector<std::string> lineOf(const SassListing& listing, const SassLoop& loop,
                                const std::vector<SassInstruction>& turn, bool ran, const Resources& resources,
                                const SimulateRequest& request) {
  const bool isT4 = request.chip == "t4";
  SassCost cost;
  double shared = 0, global = 0; // bytes of the path
  for (const SassInstruction& instruction : turn) {
    cost += costOf(instruction);
    const bool isGlobal = instruction.name() == "LDG" || instruction.name() == "STG";
    (isGlobal ? global : shared) += pathBytesOf(instruction, isT4 ? 64 : 128);
  }
  const uint32_t resident = residentWarps(resources.warps * 32, resources.registers, resources.sharedBytes);
  const uint32_t blocks = request.blocks != 0 ? request.blocks : std::max(1u, resident / resources.warps);
  const LoopRun run = runLoopOften(turn, blocks, resources.warps, isT4 ? Multiprocessor{} : kLikeH200);
  const auto product = std::ranges::find_if(cost.multiplyAdds, [](double count) { return count > 0; });
  const double units = product == cost.multiplyAdds.end() ? 0 : *product * resources.warps / kUnitOfWork;
  char at[32];
  std::snprintf(at, sizeof at, "%x-%x", listing.instructions[loop.first].address,
                listing.instructions[loop.last].address);
  std::vector<std::string> line = {listing.kernel, ran ? at : at + std::string("*"), std::to_string(turn.size()),
                                   std::to_string(blocks) + "x" + std::to_string(resources.warps),
                                   fixed(run.cycles, 0)};
  const auto add = [&](bool is, double value, int digits) { line.push_back(is ? fixed(value, digits) : "-"); };
  add(units > 0, run.cycles / units, 0);
  for (const double megahertz : {1590., 1100.})
    add(units > 0, kUnitOfWork * 2 * t4::kMultiprocessors * megahertz / 1e6 / (run.cycles / units), 1);
  for (const double bytes : {shared, global}) add(units > 0, bytes * resources.warps / 128 / units, 0);
  const double kibibytes = cost.globalLoadBytes * resources.warps / 1024;
  add(kibibytes > 0, run.cycles / kibibytes, 1);
  line.push_back(fixed(run.issue * 100, 0));
  for (const SassPipe pipe : {SassPipe::kFma, SassPipe::kAlu, SassPipe::kTensor, SassPipe::kPath})
    line.push_back(fixed(run.busy[static_cast<size_t>(pipe)] * 100, 0));
  return line;
}

/// The loops that multiply, and the one of a kernel without such that loads most.
void addKernel(SassListing listing, const SassLaunch& launch, const Resources& resources,
               const SimulateRequest& request, std::vector<std::vector<std::string>>& table) {
  BlockRun run;
  if (!request.byWidth)
    run = runBlock(listing, launch);
  std::vector<SassLoop> loops = listing.loops;
  loops.insert(loops.end(), listing.outerLoops.begin(), listing.outerLoops.end());
  const auto costOfLoop = [&](const SassLoop& loop) { return costOf(listing, loop.first, loop.last + 1); };
  const bool anyMultiplies = std::ranges::any_of(loops, [&](const SassLoop& of) { return multiplies(costOfLoop(of)); });
  const auto most =
      std::ranges::max_element(loops, {}, [&](const SassLoop& of) { return costOfLoop(of).globalLoadBytes; });
  for (const SassLoop& loop : loops) {
    if (anyMultiplies ? !multiplies(costOfLoop(loop)) : &loop != &*most)
      continue;
    const std::vector<SassInstruction> turn = turnOf(listing, loop, run);
    constexpr size_t kLongestTurn = 8192;
    if (turn.size() <= kLongestTurn)
      table.push_back(
          lineOf(listing, loop, turn, !run.executions.empty() && run.executions[loop.first] > 0, resources, request));
  }
}

Result<std::string> textOf(const std::vector<std::vector<std::string>>& table, const SimulateRequest& request) {
  if (table.size() == 1)
    return usageError("--kernel ", request.kernel, ": no kernel of that name has a loop");
  return "Predicted: loops on one simulated multiprocessor (" + request.chip +
         "), cycles of a turn of one block; @: TOPS of 40 of them; shared, global: wavefronts of 128 bytes for 524,288 "
         "multiply-adds; KiB: that lanes load; *: accesses by their width, since the addresses are not known\n\n" +
         textTable(table);
}

bool isWanted(const std::string& name, const SimulateRequest& request) {
  return name.find(request.kernel) != std::string::npos;
}

} // namespace

Result<std::string> simulateEngine(const Engine& engine, const SimulateRequest& request) {
  std::vector<std::vector<std::string>> table = {kHead};
  for (const fb::Kernel* kernel : *engine.metadata().kernels()) {
    if (!isWanted(kernel->name()->str(), request))
      continue;
    const auto image = std::ranges::find_if(
        *kernel->images(), [](const fb::Image* image) { return image->kind() == fb::ImageKind::cubin_sm_75; });
    if (image == kernel->images()->end())
      return unsupported(engine.path(), " has no machine code for SM 7.5; compile it with --target sm_75");
    LLCUDA_ASSIGN_OR_RETURN(SassListing listing, disassemble(request.nvdisasm, engine.image(**image)));
    listing.kernel = kernel->name()->str();
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<CubinKernel> facts, readCubin(engine.image(**image)));
    addKernel(std::move(listing), launchOf(facts.at(0), kernel->threads()),
              {(kernel->threads() + 31) / 32, kernel->registers(),
               kernel->static_shared_bytes() + kernel->dynamic_shared_bytes()},
              request, table);
  }
  return textOf(table, request);
}

Result<SassLaunch> launchWanted(const CubinKernel& kernel, uint32_t threads, const SimulateRequest& request) {
  SassLaunch launch = launchOf(kernel, threads);
  for (const auto& [offset, value] : request.constants) launch.constants[offset] = value;
  for (uint32_t i = 0; i < 3; ++i) launch.block[i] = launch.constants[4 * i];
  if (launch.block[0] * launch.block[1] * launch.block[2] != threads)
    return usageError("--set has a block of other than ", threads, " threads");
  return launch;
}

Result<std::string> simulateCubin(std::span<const std::byte> cubin, const SimulateRequest& request) {
  std::vector<std::vector<std::string>> table = {kHead};
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<CubinKernel> kernels, readCubin(cubin));
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<SassListing> listings, disassembleKernels(request.nvdisasm, cubin));
  for (const SassListing& listing : listings) {
    const auto kernel = std::ranges::find(kernels, listing.kernel, &CubinKernel::name);
    if (!isWanted(listing.kernel, request) || kernel == kernels.end())
      continue;
    const uint32_t warps = request.warps != 0 ? request.warps : (kernel->threads + 31) / 32;
    if (warps == 0)
      return usageError("kernel ", listing.kernel, " has no launch bounds; say --warps");
    LLCUDA_ASSIGN_OR_RETURN(const SassLaunch launch, launchWanted(*kernel, warps * 32, request));
    addKernel(listing, launch, {warps, kernel->registers, kernel->sharedBytes}, request, table);
  }
  return textOf(table, request);
}

} // namespace llcuda::inspect
