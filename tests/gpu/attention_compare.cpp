// SPDX-License-Identifier: Apache-2.0
// Flash attention of a whole prompt beside the same computed by separate kernels, on GPU 0, as JSON:
//
//   attention_compare [NVRTC FILE OR FOLDER]
//
// The separate kernels are the project's own: scores of all rows and keys by linear_prompt of an f16 weight (the keys),
// a softmax that reads and writes each score once, and linear_prompt of the transposed values. One launch each for all
// heads; like a matrix product they take every key for every row, the causal mask is the softmax's. Transposing the
// values is not timed. Ends with 4 when the two disagree, with 5 without a GPU.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>

#include <nlohmann/json.hpp>

#include "codegen/formats/numbers.h"
#include "codegen/nvrtc/kernel_compiler.h"
#include "codegen/spec/attention_spec.h"
#include "runtime/cuda/context.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/module.h"
#include "runtime/cuda/stream.h"
#include "tests/codegen/linear_descs.h"

namespace llcuda {
namespace {

using codegen::KernelSpec;
using codegen::LaunchSpec;
using cuda::CUdeviceptr;

constexpr uint32_t kHeads = 24, kKvHeads = 8, kHeadSize = 128, kPage = 64;
constexpr uint32_t kGroup = kHeads / kKvHeads;
const float kScale = 1.f / std::sqrt(float{kHeadSize});

/// A kernel on the device, with its launch.
struct Loaded {
  cuda::Module module;
  cuda::Function function;
  codegen::Dim3 grid;
  uint32_t threads = 0;
};

class Gpu {
public:
  static Result<Gpu> open(const std::string& nvrtcPath) {
    LLCUDA_ASSIGN_OR_RETURN(auto driver, cuda::Driver::open(cuda::DriverKind::kCuda));
    LLCUDA_ASSIGN_OR_RETURN(auto context, cuda::Context::create(driver));
    LLCUDA_ASSIGN_OR_RETURN(auto nvrtc, codegen::NvrtcLibrary::open(codegen::usualSearch(nvrtcPath, "", "", "")));
    LLCUDA_ASSIGN_OR_RETURN(auto stream, cuda::Stream::create(context));
    return Gpu{context, nvrtc, std::move(stream)};
  }

  Result<Loaded> load(const std::string& name, const std::string& source, codegen::Dim3 grid, uint32_t threads) const {
    LLCUDA_ASSIGN_OR_RETURN(const auto kernel, codegen::compileSource(nvrtc, name, source));
    const bool t4 = context->device().major == 7 && context->device().minor == 5;
    const std::string image = t4 ? kernel.cubin : kernel.ptx + '\0';
    LLCUDA_ASSIGN_OR_RETURN(auto module, cuda::Module::load(context, std::as_bytes(std::span(image)), name));
    LLCUDA_ASSIGN_OR_RETURN(auto function, module.function(name));
    return Loaded{std::move(module), std::move(function), grid, threads};
  }

  Result<void> launch(const Loaded& kernel, std::initializer_list<CUdeviceptr> arguments) const {
    return stream.launch(kernel.function, {kernel.grid.x, kernel.grid.y, kernel.grid.z}, kernel.threads, 0,
                         std::span(arguments.begin(), arguments.size()));
  }

  template <typename T>
  Result<cuda::DeviceMemory> upload(const std::vector<T>& values) const {
    LLCUDA_ASSIGN_OR_RETURN(auto memory, cuda::DeviceMemory::allocate(context, values.size() * sizeof(T), "operands"));
    LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(memory.address(), std::as_bytes(std::span(values))));
    LLCUDA_RETURN_IF_ERROR(stream.synchronize());
    return memory;
  }

  /// Seconds of one call of `body`, the least of five means; the first runs are left out.
  template <typename Body>
  Result<double> time(Body body) const {
    constexpr int kRuns = 10;
    double best = INFINITY;
    for (int round = 0; round < 6; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int run = 0; run < kRuns; ++run) LLCUDA_RETURN_IF_ERROR(body());
      LLCUDA_RETURN_IF_ERROR(stream.synchronize());
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      if (round > 0)
        best = std::min(best, elapsed.count() / kRuns);
    }
    return best;
  }

  std::shared_ptr<const cuda::Context> context;
  codegen::NvrtcLibrary nvrtc;
  cuda::Stream stream;
};

/// The entry of a linear for all heads at once: pointers move by so many elements from head to head.
std::string headwise(const KernelSpec& spec, const std::string& name, uint64_t weightBytes, uint32_t weightHeads,
                     uint64_t inputs, uint64_t outputs) {
  std::string text = "#include \"" + spec.header + "\"\n\nLLCUDA_ENTRY(" + std::to_string(spec.threads) + ", " +
                     std::to_string(spec.minBlocksPerSm) + ")\n" + name + "(";
  for (size_t i = 0; i < spec.params.size(); ++i)
    text += (i == 0 ? "" : ", ") + spec.params[i].type + " " + spec.params[i].name;
  return text + ") {\n  const long long head = blockIdx.z;\n  weight += head / " +
         std::to_string(kHeads / weightHeads) + " * " + std::to_string(weightBytes) + ";\n  x += head * " +
         std::to_string(inputs) + ";\n  y += head * " + std::to_string(outputs) + ";\n  llcuda::" + spec.call +
         ";\n}\n";
}

/// Weights of one row of scores [rows = keys], in place; what lies past the row's own key becomes 0.
std::string softmaxSource(uint32_t keys) {
  return R"(#include "codegen/kernels/block/reduce.cuh"
#include "codegen/kernels/ptx/math.cuh"
#include "tests/codegen/linear_descs.h"

LLCUDA_ENTRY(256, 2)
softmax_rows(float* scores) {
  using namespace llcuda;
  constexpr int kKeys = )" +
         std::to_string(keys) + R"(, kThreads = 256, kFours = kKeys / 4 / kThreads;
  const int row = blockIdx.x;
  float4* const line = reinterpret_cast<float4*>(scores + (static_cast<long long>(blockIdx.z) * kKeys + row) * kKeys);
  float4 x[kFours];
  float highest = -1e30f, sum = 0.f;
  const auto seen = [&](float v, int key) { return key <= row ? v * )" +
         std::to_string(kScale * 1.4426950408889634) + R"(f : -1e30f; };
  LLCUDA_UNROLL
  for (int i = 0; i < kFours; ++i) {
    const int key = (i * kThreads + threadIdx.x) * 4;
    x[i] = line[i * kThreads + threadIdx.x];
    x[i] = make_float4(seen(x[i].x, key), seen(x[i].y, key + 1), seen(x[i].z, key + 2), seen(x[i].w, key + 3));
    highest = maxOf(highest, maxOf(maxOf(x[i].x, x[i].y), maxOf(x[i].z, x[i].w)));
  }
  highest = blockMax<kThreads>(highest);
  LLCUDA_UNROLL
  for (int i = 0; i < kFours; ++i) {
    x[i] = make_float4(exp2Fast(x[i].x - highest), exp2Fast(x[i].y - highest), exp2Fast(x[i].z - highest),
                       exp2Fast(x[i].w - highest));
    sum += x[i].x + x[i].y + x[i].z + x[i].w;
  }
  const float inverse = reciprocalFast(blockSum<kThreads>(sum));
  LLCUDA_UNROLL
  for (int i = 0; i < kFours; ++i)
    line[i * kThreads + threadIdx.x] =
        make_float4(x[i].x * inverse, x[i].y * inverse, x[i].z * inverse, x[i].w * inverse);
}
)";
}

/// Queries, keys and values of a prompt, each in the order its kernels want.
struct Operands {
  std::vector<uint16_t> flashQueries, keys, pagedValues, transposedValues;
  std::vector<float> queries;
  std::vector<int32_t> positions, slots, table;

  explicit Operands(uint32_t rows) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    const auto random = [&] { return formats::floatToHalf(normal(generator)); };
    flashQueries.resize(size_t{rows} * kHeads * kHeadSize);
    queries.resize(flashQueries.size());
    keys.resize(size_t{rows} * kKvHeads * kHeadSize); // [page][kv head][64][head size] for flash
    pagedValues.resize(keys.size());
    transposedValues.resize(keys.size()); // [kv head][head size][rows]
    for (uint32_t r = 0; r < rows; ++r) {
      positions.push_back(static_cast<int32_t>(r));
      for (uint32_t h = 0; h < kHeads; ++h)
        for (uint32_t i = 0; i < kHeadSize; ++i) {
          const uint16_t q = random();
          flashQueries[(size_t{r} * kHeads + h) * kHeadSize + i] = q;
          queries[(size_t{h} * rows + r) * kHeadSize + i] = formats::halfToFloat(q);
        }
      for (uint32_t h = 0; h < kKvHeads; ++h)
        for (uint32_t i = 0; i < kHeadSize; ++i) {
          keys[cell(r, h) + i] = random();
          const uint16_t v = random();
          pagedValues[cell(r, h) + i] = v;
          transposedValues[(size_t{h} * kHeadSize + i) * rows + r] = v;
        }
    }
    slots.assign(rows, 0);
    for (uint32_t p = 0; p < rows / kPage; ++p) table.push_back(static_cast<int32_t>(p));
  }

  static size_t cell(uint32_t row, uint32_t kvHead) {
    return ((size_t{row / kPage} * kKvHeads + kvHead) * kPage + row % kPage) * kHeadSize;
  }
  /// [kv head][rows][head size], as a weight of the separate kernels.
  std::vector<uint16_t> plainKeys() const {
    const auto rows = static_cast<uint32_t>(positions.size());
    std::vector<uint16_t> plain(keys.size());
    for (uint32_t h = 0; h < kKvHeads; ++h)
      for (uint32_t r = 0; r < rows; ++r)
        std::memcpy(&plain[(size_t{h} * rows + r) * kHeadSize], &keys[cell(r, h)], 2 * kHeadSize);
    return plain;
  }
};

/// Mean square of the difference over the mean square of flash's rows [rows][heads][head size] and the others'
/// [heads][rows][head size].
Result<double> difference(const Gpu& gpu, uint32_t rows, CUdeviceptr flash, CUdeviceptr separate) {
  std::vector<float> a(size_t{rows} * kHeads * kHeadSize), b(a.size());
  LLCUDA_RETURN_IF_ERROR(gpu.stream.copyToHost(std::as_writable_bytes(std::span(a)), flash));
  LLCUDA_RETURN_IF_ERROR(gpu.stream.copyToHost(std::as_writable_bytes(std::span(b)), separate));
  LLCUDA_RETURN_IF_ERROR(gpu.stream.synchronize());
  double error = 0, power = 0;
  for (size_t r = 0; r < rows; ++r)
    for (size_t h = 0; h < kHeads; ++h)
      for (size_t i = 0; i < kHeadSize; ++i) {
        const double x = a[(r * kHeads + h) * kHeadSize + i], y = b[(h * rows + r) * kHeadSize + i];
        error += (x - y) * (x - y);
        power += y * y;
      }
  return error / power;
}

Result<nlohmann::ordered_json> compare(const Gpu& gpu, uint32_t rows) {
  const codegen::AttentionDesc desc = {.rows = rows,
                                       .heads = kHeads,
                                       .kvHeads = kKvHeads,
                                       .headSize = kHeadSize,
                                       .cache = {.maxContext = rows},
                                       .scale = kScale,
                                       .f32Rows = true,
                                       .int8Rows = false};
  const LaunchSpec flashSpec = codegen::attentionPromptLaunch(desc);
  const LaunchSpec scoreSpec =
      codegen::linearLaunch(codegen::manyRows(codegen::linearOf(WeightLayout::kF16Rows, rows, kHeadSize, rows)));
  const LaunchSpec valueSpec =
      codegen::linearLaunch(codegen::manyRows(codegen::linearOf(WeightLayout::kF16Rows, rows, rows, kHeadSize)));
  const auto perHead = [](codegen::Dim3 grid) { return codegen::Dim3{grid.x, grid.y, kHeads}; };
  LLCUDA_ASSIGN_OR_RETURN(const Loaded flash, gpu.load(flashSpec.kernel.name, flashSpec.kernel.source(), flashSpec.grid,
                                                       flashSpec.kernel.threads));
  LLCUDA_ASSIGN_OR_RETURN(const Loaded scores,
                          gpu.load("scores",
                                   headwise(scoreSpec.kernel, "scores", uint64_t{rows} * kHeadSize * 2, kKvHeads,
                                            uint64_t{rows} * kHeadSize, uint64_t{rows} * rows),
                                   perHead(scoreSpec.grid), scoreSpec.kernel.threads));
  LLCUDA_ASSIGN_OR_RETURN(const Loaded softmax, gpu.load("softmax_rows", softmaxSource(rows), {rows, 1, kHeads}, 256));
  LLCUDA_ASSIGN_OR_RETURN(const Loaded values,
                          gpu.load("values",
                                   headwise(valueSpec.kernel, "values", uint64_t{rows} * kHeadSize * 2, kKvHeads,
                                            uint64_t{rows} * rows, uint64_t{rows} * kHeadSize),
                                   perHead(valueSpec.grid), valueSpec.kernel.threads));
  const Operands operands(rows);
  LLCUDA_ASSIGN_OR_RETURN(const auto flashQueries, gpu.upload(operands.flashQueries));
  LLCUDA_ASSIGN_OR_RETURN(const auto keys, gpu.upload(operands.keys));
  LLCUDA_ASSIGN_OR_RETURN(const auto pagedValues, gpu.upload(operands.pagedValues));
  LLCUDA_ASSIGN_OR_RETURN(const auto queries, gpu.upload(operands.queries));
  LLCUDA_ASSIGN_OR_RETURN(const auto plainKeys, gpu.upload(operands.plainKeys()));
  LLCUDA_ASSIGN_OR_RETURN(const auto transposed, gpu.upload(operands.transposedValues));
  LLCUDA_ASSIGN_OR_RETURN(const auto positions, gpu.upload(operands.positions));
  LLCUDA_ASSIGN_OR_RETURN(const auto slots, gpu.upload(operands.slots));
  LLCUDA_ASSIGN_OR_RETURN(const auto table, gpu.upload(operands.table));
  const uint64_t rowBytes = uint64_t{rows} * kHeads * kHeadSize * 4, scoreBytes = uint64_t{rows} * rows * kHeads * 4;
  LLCUDA_ASSIGN_OR_RETURN(const auto flashRows, cuda::DeviceMemory::allocate(gpu.context, rowBytes, "rows"));
  LLCUDA_ASSIGN_OR_RETURN(const auto separateRows, cuda::DeviceMemory::allocate(gpu.context, rowBytes, "rows"));
  LLCUDA_ASSIGN_OR_RETURN(const auto scratch, cuda::DeviceMemory::allocate(gpu.context, scoreBytes, "scores"));

  const auto runFlash = [&] {
    return gpu.launch(flash, {flashQueries.address(), keys.address(), pagedValues.address(), positions.address(),
                              slots.address(), table.address(), flashRows.address()});
  };
  const auto runScores = [&] {
    return gpu.launch(scores, {plainKeys.address(), queries.address(), positions.address(), scratch.address()});
  };
  const auto runSoftmax = [&] { return gpu.launch(softmax, {scratch.address()}); };
  const auto runValues = [&] {
    return gpu.launch(values, {transposed.address(), scratch.address(), positions.address(), separateRows.address()});
  };
  const auto runSeparate = [&]() -> Result<void> {
    LLCUDA_RETURN_IF_ERROR(runScores());
    LLCUDA_RETURN_IF_ERROR(runSoftmax());
    return runValues();
  };
  const auto runCopy = [&] {
    return gpu.stream.copyOnDevice(scratch.address(), scratch.address() + scoreBytes / 2, scoreBytes / 2);
  };
  LLCUDA_RETURN_IF_ERROR(runFlash());
  LLCUDA_RETURN_IF_ERROR(runSeparate());
  LLCUDA_ASSIGN_OR_RETURN(const double nmse, difference(gpu, rows, flashRows.address(), separateRows.address()));
  LLCUDA_ASSIGN_OR_RETURN(const double flashTime, gpu.time(runFlash));
  LLCUDA_ASSIGN_OR_RETURN(const double separateTime, gpu.time(runSeparate));
  LLCUDA_ASSIGN_OR_RETURN(const double scoreTime, gpu.time(runScores));
  LLCUDA_ASSIGN_OR_RETURN(const double softmaxTime, gpu.time(runSoftmax));
  LLCUDA_ASSIGN_OR_RETURN(const double valueTime, gpu.time(runValues));
  LLCUDA_ASSIGN_OR_RETURN(const double copyTime, gpu.time(runCopy));
  const double copyRate = scoreBytes / copyTime / 1e9, softmaxRate = 2.0 * scoreBytes / softmaxTime / 1e9;
  return nlohmann::ordered_json{{"context", rows},
                                {"flash_us", flashTime * 1e6},
                                {"separate_us", separateTime * 1e6},
                                {"scores_us", scoreTime * 1e6},
                                {"softmax_us", softmaxTime * 1e6},
                                {"values_us", valueTime * 1e6},
                                {"speedup", separateTime / flashTime},
                                {"flash_tflops", 2.0 * rows * rows * kHeads * kHeadSize / flashTime / 1e12},
                                {"softmax_gbs", softmaxRate},
                                {"copy_gbs", copyRate},
                                {"softmax_of_copy", softmaxRate / copyRate},
                                {"nmse", nmse}};
}

int run(const std::string& nvrtcPath) {
  const auto fail = [](const Error& error) {
    std::fprintf(stderr, "attention_compare: %s\n", error.message.c_str());
    return static_cast<int>(error.code);
  };
  const auto gpu = Gpu::open(nvrtcPath);
  if (!gpu)
    return fail(gpu.error());
  nlohmann::ordered_json report = {
      {"device", gpu->context->device().name}, {"heads", kHeads}, {"kv_heads", kKvHeads}, {"head_size", kHeadSize}};
  bool agrees = true;
  for (const uint32_t rows : {2048u, 8192u}) {
    const auto result = compare(*gpu, rows);
    if (!result)
      return fail(result.error());
    agrees = agrees && (*result)["nmse"] < 1e-5;
    report["results"].push_back(*result);
  }
  std::printf("%s\n", report.dump(2).c_str());
  return agrees ? 0 : static_cast<int>(ErrorCode::kSelfCheckFailed);
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  return llcuda::run(argc > 1 ? argv[1] : "");
}
