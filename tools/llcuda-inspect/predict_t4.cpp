// SPDX-License-Identifier: Apache-2.0
// An engine's phases as codegen/sass/predictor.h takes it.
#include "tools/llcuda-inspect/predict_t4.h"

#include <algorithm>
#include <map>
#include <set>

#include "codegen/sass/cubin.h"
#include "codegen/sass/peer_loops.h"
#include "codegen/spec/t4.h"
#include "runtime/engine/launch_work.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda::inspect {
namespace {

/// The smallest phase that decodes, or that takes prompts, of `rows` rows or more.
const fb::Phase* phaseOf(const Engine& engine, bool decodes, uint32_t rows) {
  const fb::Phase* found = nullptr;
  for (const fb::Phase* phase : *engine.metadata().phases())
    if (phase->feeds_back() == decodes && phase->rows() >= rows && (!found || phase->rows() < found->rows()))
      found = phase;
  return found;
}

const fb::Image* cubinOf(const fb::Kernel& kernel) {
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == fb::ImageKind::cubin_sm_75)
      return image;
  return nullptr;
}

Result<codegen::PredictedCode> codeOf(const Engine& engine, const fb::Kernel& kernel, const std::string& nvdisasm) {
  const fb::Image* image = cubinOf(kernel);
  if (!image)
    return unsupported(engine.path(), " has no machine code for SM 7.5; compile it with --target sm_75");
  codegen::PredictedCode code = {kernel.name()->str(),
                                 kernel.threads(),
                                 kernel.registers(),
                                 kernel.static_shared_bytes() + kernel.dynamic_shared_bytes(),
                                 kernel.spill_bytes() != 0,
                                 1,
                                 {}};
  LLCUDA_ASSIGN_OR_RETURN(code.listing, codegen::disassemble(nvdisasm, engine.image(*image)));
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<codegen::CubinKernel> facts, codegen::readCubin(engine.image(*image)));
  code.loadShare = codegen::runBlock(code.listing, codegen::launchOf(facts.at(0), kernel.threads())).loadShare;
  return code;
}

/// Linears of a step with as many rows as llama.cpp takes tensor cores for, and what its own take for the same.
class Linears {
public:
  Linears(const Engine& engine, const PredictRequest& request)
      : megahertz(request.megahertz), machine(request.machine.clock), peer(megahertz.size()) {
    if (engine.metadata().weight_sources())
      for (const fb::WeightSource* source : *engine.metadata().weight_sources())
        sources.emplace(source->buffer(), source);
  }

  void add(const fb::Launch& launch, uint32_t kernel, const StepRows& step) {
    const LaunchWork work = workOf(*launch.work());
    const uint32_t rows = std::min(step.rows, work.rows);
    if (work.rowMultiplyAdds == 0 || rows <= codegen::kPeerRowsOfDots)
      return;
    for (const fb::Argument* argument : *launch.arguments()) {
      const auto [first, last] = sources.equal_range(argument->buffer());
      for (auto source = first; source != last; ++source) {
        kernels.insert(kernel);
        addPeer(*source->second, work, rows);
      }
    }
  }

  void write(StepPrediction& to) const {
    if (!known || kernels.empty())
      return;
    to.linears.assign(megahertz.size(), 0);
    for (const uint32_t kernel : kernels)
      for (size_t i = 0; i < megahertz.size(); ++i) to.linears[i] += to.step.kernels[kernel].times[i].total();
    to.peerLinears = peer;
  }

private:
  /// As one launch of llama.cpp: the weight's bytes, or its tiles, which all multiprocessors share evenly. Of experts
  /// those that are chosen, each with tiles of its own rows.
  void addPeer(const fb::WeightSource& weight, const LaunchWork& work, uint32_t rows) {
    const bool experts = work.experts != 0;
    const uint32_t ofEach = experts ? std::max(1u, rows * work.choices / work.experts) : rows;
    const codegen::PeerLoop* loop = codegen::peerLoop(weight.encoding()->str(), ofEach);
    known = known && loop;
    if (!loop)
      return;
    LaunchWork asPeer = work;
    asPeer.tileRows = loop->rows;
    const double padded = (experts ? expertTiles(asPeer, rows) : (rows + loop->rows - 1) / loop->rows) * loop->rows;
    const auto elements = static_cast<double>(weight.rows() * weight.columns());
    const double units = padded * elements / std::max(work.experts, 1u) / 524'288;
    const double share = experts ? expertsChosen(work, rows) / work.experts : 1; // of the weight
    for (size_t i = 0; i < megahertz.size(); ++i) {
      const double memory = static_cast<double>(weight.bytes()) * share / machine.memoryBytesPerSecond * 1e6;
      const double loops = units * loop->cyclesOfUnit / codegen::t4::kMultiprocessors / megahertz[i];
      peer[i] += std::max(memory, loops) + machine.launchMicroseconds;
    }
  }

  const std::vector<double>& megahertz;
  const codegen::T4Clock& machine;
  std::multimap<uint32_t, const fb::WeightSource*> sources; // of buffers
  std::set<uint32_t> kernels;                               // of the step
  std::vector<double> peer;
  bool known = true;
};

/// Predicts step after step; the kernels' machine code is listed once.
class Predictor {
public:
  Predictor(const Engine& engine, const PredictRequest& request) : engine(engine), request(request) {}

  Result<void> add(std::string test, bool decodes, const StepRows& rows) {
    const fb::Phase* phase = phaseOf(engine, decodes, rows.rows);
    if (!phase)
      return {};
    codegen::PredictedStep step;
    step.rows = rows;
    std::map<uint32_t, uint32_t> places; // in the step, of the engine's kernels
    Linears linears(engine, request);
    for (uint32_t i = 0; i < stepOf(*phase, true).count(); ++i) {
      const fb::Launch* launch = phase->launches()->Get(i);
      const auto [place, isNew] = places.try_emplace(launch->kernel(), step.kernels.size());
      if (isNew) {
        LLCUDA_ASSIGN_OR_RETURN(const codegen::PredictedCode* code, kernel(launch->kernel()));
        step.kernels.push_back(*code);
      }
      linears.add(*launch, place->second, rows);
      step.launches.push_back(
          {place->second, launch->grid_x() * launch->grid_y() * launch->grid_z(), workOf(*launch->work())});
    }
    steps.push_back({std::move(test), codegen::predictStep(step, request.megahertz, request.machine), {}, {}});
    linears.write(steps.back());
    return {};
  }

  std::vector<StepPrediction> steps;

private:
  Result<const codegen::PredictedCode*> kernel(uint32_t index) {
    const auto known = codes.find(index);
    if (known != codes.end())
      return &known->second;
    LLCUDA_ASSIGN_OR_RETURN(codegen::PredictedCode code,
                            codeOf(engine, *engine.metadata().kernels()->Get(index), request.nvdisasm));
    return &codes.emplace(index, std::move(code)).first->second;
  }

  const Engine& engine;
  const PredictRequest& request;
  std::map<uint32_t, codegen::PredictedCode> codes;
};

} // namespace

Result<std::vector<StepPrediction>> predictT4(const Engine& engine, const PredictRequest& request) {
  constexpr uint32_t kDepth = 4096, kPrompt = 512;
  LLCUDA_RETURN_IF_ERROR(engine.checkGenerates());
  if (!phaseOf(engine, true, 1))
    return unsupported(engine.path(), " has no decode phase for one row");
  const fb::Engine& facts = engine.metadata();
  const uint64_t context = request.context;
  Predictor predictor(engine, request);
  LLCUDA_RETURN_IF_ERROR(predictor.add("tg", true, {.rows = 1, .sequences = 1, .positions = context}));
  if (context < kDepth && kDepth < facts.max_context())
    LLCUDA_RETURN_IF_ERROR(predictor.add("tg @ d4096", true, {.rows = 1, .sequences = 1, .positions = kDepth}));
  for (const uint32_t rows : {2u, 4u, 8u, 16u, 32u, 64u})
    if (rows <= facts.max_batch())
      LLCUDA_RETURN_IF_ERROR(predictor.add("batch " + std::to_string(rows), true,
                                           {.rows = rows, .sequences = rows, .positions = rows * context}));
  if (kPrompt <= facts.max_context())
    LLCUDA_RETURN_IF_ERROR(predictor.add("pp512", false, {.rows = kPrompt, .sequences = 1, .positions = kPrompt}));
  return std::move(predictor.steps);
}

} // namespace llcuda::inspect
