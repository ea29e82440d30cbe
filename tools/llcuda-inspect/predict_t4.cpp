// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-inspect/predict_t4.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace llcuda::inspect {
namespace {

using codegen::LaunchWork;
using codegen::SassCost;
using codegen::SassListing;

/// The numbers in a kernel's name, `<op>__<constants>__<hash>` with constants like b1_k4096_n14336.
class KernelName {
public:
  explicit KernelName(std::string_view name) {
    const size_t constants = name.find("__");
    operation = name.substr(0, constants);
    for (std::string_view rest = name.substr(constants + 2); !rest.empty();) {
      const size_t end = std::min(rest.find('_'), rest.size());
      const std::string_view part = rest.substr(0, end);
      double number = 0;
      if (part.size() > 1 && std::from_chars(part.data() + 1, part.data() + part.size(), number).ec == std::errc())
        numbers.emplace(part[0], number);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  std::string_view op() const { return operation; }
  double operator[](char letter) const {
    const auto found = numbers.find(letter);
    return found == numbers.end() ? 0 : found->second;
  }

  /// Of the matrix products of a decode kernel; 0 for a kernel without any.
  double multiplyAdds() const {
    const KernelName& n = *this;
    if (op().starts_with("qkv"))
      return n['b'] * n['k'] * (n['h'] + 2 * n['g']) * n['d'];
    if (op() == "glu_linear")
      return 2 * n['b'] * n['k'] * n['n'];
    return op().starts_with("linear") ? n['b'] * n['k'] * n['n'] : 0;
  }

private:
  std::string_view operation;
  std::map<char, double> numbers;
};

const fb::Image* cubinOf(const fb::Kernel& kernel) {
  for (const fb::Image* image : *kernel.images())
    if (image->kind() == fb::ImageKind::cubin_sm_75)
      return image;
  return nullptr;
}

class Predictor {
public:
  Predictor(const Engine& engine, const PredictRequest& request) : engine(engine), request(request) {}

  Result<Prediction> predict() {
    Prediction prediction{request, {}, std::vector<double>(request.megahertz.size())};
    const fb::Phase* phase = decodePhase();
    if (!phase)
      return unsupported(engine.path(), " has no decode phase for one row");
    std::map<uint32_t, PredictedKernel> kernels;
    std::vector<uint32_t> order;
    for (const fb::Launch* launch : *phase->launches()) {
      if (!kernels.contains(launch->kernel()))
        order.push_back(launch->kernel());
      LLCUDA_RETURN_IF_ERROR(add(*launch, kernels[launch->kernel()]));
    }
    for (const uint32_t kernel : order) {
      for (size_t i = 0; i < request.megahertz.size(); ++i)
        prediction.microseconds[i] += kernels[kernel].times[i].total();
      prediction.kernels.push_back(std::move(kernels[kernel]));
    }
    return prediction;
  }

private:
  const fb::Phase* decodePhase() const {
    for (const fb::Phase* phase : *engine.metadata().phases())
      if (phase->kind() == fb::PhaseKind::decode && phase->rows() == 1)
        return phase;
    return nullptr;
  }

  Result<const SassListing*> listingOf(uint32_t index) {
    if (const auto known = listings.find(index); known != listings.end())
      return &known->second;
    const fb::Kernel& kernel = *engine.metadata().kernels()->Get(index);
    const fb::Image* image = cubinOf(kernel);
    if (!image)
      return unsupported(engine.path(), " has no machine code for SM 7.5; compile it with --target sm_75");
    const auto images = engine.segment(schema::SegmentKind::kImages);
    LLCUDA_ASSIGN_OR_RETURN(
        SassListing listing,
        codegen::disassemble(request.nvdisasm, images.subspan(image->span().offset(), image->span().bytes())));
    return &listings.emplace(index, std::move(listing)).first->second;
  }

  /// Bytes that a launch reads or writes in device memory: every buffer once; of a lookup table its row; of the cache
  /// what the context fills.
  double bytesOf(const fb::Launch& launch, const KernelName& name) const {
    double sum = 0;
    std::set<uint32_t> seen;
    for (const fb::Argument* argument : *launch.arguments()) {
      const fb::Buffer& buffer = *engine.metadata().buffers()->Get(argument->buffer());
      if (!seen.insert(argument->buffer()).second)
        continue;
      const auto bytes = static_cast<double>(buffer.bytes());
      switch (buffer.kind()) {
      case fb::BufferKind::kv:
        sum += name.op().starts_with("attention") ? bytes * pagesRead(name) : 0;
        break;
      case fb::BufferKind::weight:
        sum += name.op() == "embedding" ? bytes / std::max(name['v'], 1.) : bytes;
        break;
      case fb::BufferKind::constant:
        sum += bytes > kLargestVector ? bytes / engine.metadata().max_context() : bytes; // a rope table
        break;
      default:
        sum += bytes;
      }
    }
    return sum;
  }

  double pagesRead(const KernelName& name) const {
    const double positions = name['w'] > 0 ? std::min<double>(request.context, name['w']) : request.context;
    return positions / engine.metadata().page_tokens();
  }

  Result<void> add(const fb::Launch& launch, PredictedKernel& sum) {
    LLCUDA_ASSIGN_OR_RETURN(const SassListing* listing, listingOf(launch.kernel()));
    const fb::Kernel& kernel = *engine.metadata().kernels()->Get(launch.kernel());
    sum.name = kernel.name()->str();
    const KernelName name(kernel);
    const LaunchWork work = {launch.grid_x() * launch.grid_y() * launch.grid_z(), kernel.threads(),
                             bytesOf(launch, name), name.multiplyAdds()};
    const SassCost cost = codegen::costOfLaunch(*listing, work);
    ++sum.launches;
    sum.registers = kernel.registers();
    sum.spills = kernel.spill_bytes() != 0;
    sum.warps = codegen::residentWarps(kernel.threads(), kernel.registers(),
                                       kernel.static_shared_bytes() + kernel.dynamic_shared_bytes());
    sum.bytes += work.bytes;
    sum.instructions += cost.instructions * work.blocks * ((work.threads + 31) / 32);
    addLoops(*listing, sum);
    sum.times.resize(request.megahertz.size());
    for (size_t i = 0; i < request.megahertz.size(); ++i) {
      const codegen::LaunchTime time = codegen::timeOnT4(cost, work, {.megahertz = request.megahertz[i]});
      sum.times[i].memory += time.memory;
      sum.times[i].issue += time.issue;
      sum.times[i].pipe += time.pipe;
      sum.times[i].fixed += time.fixed;
      sum.times[i].busiest = time.busiest;
    }
    return {};
  }

  static void addLoops(const SassListing& listing, PredictedKernel& sum) {
    double most = 0;
    for (const codegen::SassLoop& loop : listing.loops) {
      const SassCost turn = codegen::costOf(listing, loop.first, loop.last + 1);
      sum.longestLoop = std::max<uint64_t>(sum.longestLoop, loop.length() * 16);
      if (turn.globalLoadBytes <= most)
        continue;
      most = turn.globalLoadBytes;
      sum.shortLoads = turn.shortGlobalLoads;
    }
    if (listing.loops.empty() || most == 0)
      most = codegen::costOf(listing, 0, listing.instructions.size()).globalLoadBytes;
    sum.bytesInFlight = most * sum.warps;
  }

  static constexpr double kLargestVector = 1 << 20;

  const Engine& engine;
  const PredictRequest& request;
  std::map<uint32_t, SassListing> listings;
};

} // namespace

Result<Prediction> predictT4(const Engine& engine, const PredictRequest& request) {
  return Predictor(engine, request).predict();
}

} // namespace llcuda::inspect
