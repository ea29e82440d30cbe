// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/engine/toy_engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>

#include "codegen/formats/row_edits.h"
#include "codegen/formats/token_score.h"
#include "codegen/formats/weight_layout.h"
#include "runtime/schema/engine_hash.h"
#include "tests/runtime/engine/toy_model.h"

namespace llcuda::toy {
namespace {

constexpr uint64_t kPageBytes = kPageTokens * kHeadSize * sizeof(uint16_t);
constexpr uint32_t kPromptRows[] = {4, 8};
constexpr uint32_t kMaxRows = 8;
constexpr uint32_t kThreads = 32;
constexpr float kBias = 3.f;

enum Kernel : uint32_t {
  kEmbed,
  kDecodeLogits,
  kPromptLogits,
  kDecodeSample,
  kPromptSample,
  kApplyEdits,
  kReport,
  kScore,
  kPool
};
enum Buffer : uint32_t {
  kWeight,
  kBiasValue,
  kX,
  kK,
  kV,
  kCounter,
  kTokens,
  kPositions,
  kSlots,
  kOutputRows,
  kSampling,
  kBlockTable,
  kLogits,
  kSampled,
  kWindowTable,
  kPromptTokens,
  kPromptPositions,
  kPromptSlots,
  kPromptSampling,
  kPromptLogitsRows,
  kPromptSampled,
  kEdits,
  kScores,
  kPromptScores,
  kScoreRows,
  kScoreTokens,
  kPoolRows,
  kPooled
};

void append(std::vector<std::byte>& bytes, const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), first, first + size);
}

void addKernel(ToyEngine& engine, const std::string& op, uint32_t params, fb::Span image) {
  auto kernel = std::make_unique<fb::KernelT>();
  kernel->name = op + "__f32__v97__t32";
  kernel->op = op;
  kernel->threads = kThreads;
  kernel->param_count = params;
  kernel->images = {fb::Image(fb::ImageKind::host_x86_64, image)};
  kernel->registers = 32;
  engine.metadata.kernels.push_back(std::move(kernel));
}

void addBuffer(ToyEngine& engine, const char* name, fb::BufferKind kind, uint64_t bytes,
               fb::IoRole role = fb::IoRole::none) {
  auto buffer = std::make_unique<fb::BufferT>();
  buffer->name = name;
  buffer->kind = kind;
  buffer->bytes = bytes;
  buffer->role = role;
  engine.metadata.buffers.push_back(std::move(buffer));
}

void addPool(ToyEngine& engine, const char* name, fb::KvPart part) {
  addBuffer(engine, name, fb::BufferKind::kv, kPageBytes);
  engine.metadata.buffers.back()->part = part;
  engine.metadata.buffers.back()->kv_type = "f16";
}

void addKernels(ToyEngine& engine) {
  const fb::Span image(0, engine.images.size());
  addKernel(engine, "toy_embed", 9, image);
  addKernel(engine, "toy_decode_logits", 10, image);
  addKernel(engine, "toy_prompt_logits", 11, image);
  addKernel(engine, "toy_decode_sample", 5, image);
  addKernel(engine, "toy_prompt_sample", 4, image);
  addKernel(engine, "toy_apply_edits", 8, image);
  addKernel(engine, "toy_report", 3, image);
  addKernel(engine, "toy_score", 12, image);
  addKernel(engine, "toy_pool", 3, image);
}

void addBuffers(ToyEngine& engine, uint32_t maxBatch) {
  using fb::BufferKind;
  using fb::IoRole;
  const uint64_t word = sizeof(int32_t);
  addBuffer(engine, "token_embd", BufferKind::weight, kVocabulary * word);
  addBuffer(engine, "bias", BufferKind::constant, word);
  addBuffer(engine, "x", BufferKind::arena, kMaxRows * word);
  addPool(engine, "pool.0", fb::KvPart::keys);
  addPool(engine, "pool.1", fb::KvPart::values);
  addBuffer(engine, "arrived", BufferKind::counter, word);
  addBuffer(engine, "tokens", BufferKind::io, kMaxRows * word, IoRole::tokens);
  addBuffer(engine, "positions", BufferKind::io, kMaxRows * word, IoRole::positions);
  addBuffer(engine, "slots", BufferKind::io, kMaxRows * word, IoRole::slots);
  addBuffer(engine, "output_rows", BufferKind::io, maxBatch * word, IoRole::output_rows);
  addBuffer(engine, "sampling", BufferKind::io, maxBatch * sizeof(SamplingParams), IoRole::sampling);
  addBuffer(engine, "block_table", BufferKind::io, maxBatch * kMaxPages * word, IoRole::block_table);
  addBuffer(engine, "logits", BufferKind::io, maxBatch * kVocabulary * word, IoRole::logits);
  addBuffer(engine, "sampled", BufferKind::io, maxBatch * word, IoRole::sampled);
  addBuffer(engine, "block_table_w6", BufferKind::io, maxBatch * kMaxPages * word, IoRole::block_table);
  addBuffer(engine, "prompt_tokens", BufferKind::io, kMaxRows * word, IoRole::tokens);
  addBuffer(engine, "prompt_positions", BufferKind::io, kMaxRows * word, IoRole::positions);
  addBuffer(engine, "prompt_slots", BufferKind::io, kMaxRows * word, IoRole::slots);
  addBuffer(engine, "prompt_sampling", BufferKind::io, maxBatch * sizeof(SamplingParams), IoRole::sampling);
  addBuffer(engine, "prompt_logits", BufferKind::io, maxBatch * kVocabulary * word, IoRole::logits);
  addBuffer(engine, "prompt_sampled", BufferKind::io, maxBatch * word, IoRole::sampled);
  addBuffer(engine, "edits", BufferKind::io, editsBytes(maxBatch), IoRole::edits);
  addBuffer(engine, "scores", BufferKind::io, maxBatch * sizeof(TokenScore), IoRole::scores);
  addBuffer(engine, "prompt_scores", BufferKind::io, std::max(maxBatch, kScoredRows) * sizeof(TokenScore),
            IoRole::scores);
  addBuffer(engine, "score_rows", BufferKind::io, kScoredRows * word, IoRole::score_rows);
  addBuffer(engine, "score_tokens", BufferKind::io, kScoredRows * word, IoRole::score_tokens);
  addBuffer(engine, "pool_rows", BufferKind::io, 2 * kMaxRows / kRowBlock * word, IoRole::pool_rows);
  addBuffer(engine, "pooled", BufferKind::io, kMaxRows / kRowBlock * sizeof(float), IoRole::pooled);
  engine.metadata.buffers[kV]->window = engine.metadata.buffers[kWindowTable]->window = kWindow;
  engine.metadata.arena_bytes = schema::kBufferAlignment;
}

/// Only the rows are true.
fb::Work workOf(uint32_t rows) {
  return {1, 2, 3, 4, 5, 6, 7, rows, 0, 4, 2, 16, fb::ArithmeticUnit::fp32};
}

std::unique_ptr<fb::LaunchT> launchOf(Kernel kernel, uint32_t grid, int32_t layer,
                                      std::initializer_list<uint32_t> buffers) {
  auto launch = std::make_unique<fb::LaunchT>();
  launch->kernel = kernel;
  launch->grid_x = grid;
  launch->grid_y = launch->grid_z = 1;
  launch->layer = layer;
  launch->work = std::make_unique<fb::Work>(workOf(grid));
  for (uint32_t buffer : buffers) launch->arguments.emplace_back(buffer, 0);
  return launch;
}

void addLaunch(fb::PhaseT& phase, Kernel kernel, uint32_t grid, int32_t layer,
               std::initializer_list<uint32_t> buffers) {
  phase.launches.push_back(launchOf(kernel, grid, layer, buffers));
}

void addDecodePhase(ToyEngine& engine, uint32_t rows) {
  auto phase = std::make_unique<fb::PhaseT>();
  phase->rows = rows;
  phase->tails = {{fb::TailKind::sample, rows, 1}, {fb::TailKind::report, rows, 3}};
  phase->row_block = 1;
  phase->feeds_back = true;
  addLaunch(*phase, kEmbed, rows, 0, {kTokens, kPositions, kSlots, kBlockTable, kWeight, kX, kK, kV, kWindowTable});
  addLaunch(*phase, kDecodeLogits, rows, -1,
            {kPositions, kSlots, kBlockTable, kK, kV, kX, kBiasValue, kLogits, kCounter, kWindowTable});
  addLaunch(*phase, kDecodeSample, rows, -1, {kLogits, kSampling, kSampled, kTokens, kPositions});
  addLaunch(*phase, kReport, rows, -1, {kLogits, kSampled, kScores});
  engine.metadata.phases.push_back(std::move(phase));
}

void addPromptPhase(ToyEngine& engine, uint32_t rows) {
  auto phase = std::make_unique<fb::PhaseT>();
  phase->rows = rows;
  phase->row_block = kRowBlock;
  const uint32_t outputs = rows / kRowBlock;
  phase->tails = {{fb::TailKind::sample, outputs, 1},
                  {fb::TailKind::report, outputs, 3},
                  {fb::TailKind::score, kScoredRows, 4},
                  {fb::TailKind::pool, outputs, 5}};
  addLaunch(*phase, kEmbed, rows, 0,
            {kPromptTokens, kPromptPositions, kPromptSlots, kBlockTable, kWeight, kX, kK, kV, kWindowTable});
  addLaunch(*phase, kPromptLogits, outputs, -1,
            {kPromptPositions, kPromptSlots, kBlockTable, kK, kV, kX, kBiasValue, kPromptLogitsRows, kCounter,
             kWindowTable, kOutputRows});
  addLaunch(*phase, kPromptSample, outputs, -1, {kPromptLogitsRows, kPromptSampling, kPromptSampled, kOutputRows});
  addLaunch(*phase, kReport, outputs, -1, {kPromptLogitsRows, kPromptSampled, kPromptScores});
  addLaunch(*phase, kScore, kScoredRows, -1,
            {kPromptPositions, kPromptSlots, kBlockTable, kK, kV, kX, kBiasValue, kScoreRows, kCounter, kWindowTable,
             kScoreTokens, kPromptScores});
  addLaunch(*phase, kPool, outputs, -1, {kX, kPoolRows, kPooled});
  engine.metadata.phases.push_back(std::move(phase));
}

void addGolden(ToyEngine& engine) {
  auto golden = std::make_unique<fb::GoldenT>();
  golden->tokens = {5, 96, 0, 11, 42, 7};
  for (std::size_t i = 1; i <= golden->tokens.size(); ++i) {
    const std::vector<float> row = logits(std::span(golden->tokens).first(i));
    const float sum = std::accumulate(row.begin(), row.end(), 0.f, [](float s, float x) { return s + std::exp(x); });
    const auto best = static_cast<int32_t>(std::ranges::max_element(row) - row.begin());
    for (int32_t rank = 0; rank < 5; ++rank) {
      const int32_t token = (best + rank) % static_cast<int32_t>(kVocabulary);
      golden->top.emplace_back(token, row[token] - std::log(sum));
    }
  }
  engine.metadata.golden = std::move(golden);
}

void addModel(fb::EngineT& metadata, uint32_t maxBatch) {
  metadata.compiler = std::make_unique<fb::CompilerT>();
  metadata.compiler->version = "3.0.0";
  metadata.model = std::make_unique<fb::ModelT>();
  fb::ModelT& model = *metadata.model;
  model.architecture = "toy";
  model.name = "Toy";
  model.layers = model.heads = model.kv_heads = 1;
  model.embedding = 1;
  model.head_size = kHeadSize;
  model.feed_forward = 1;
  model.vocabulary = kVocabulary;
  model.trained_context = kMaxContext;
  metadata.max_context = kMaxContext;
  metadata.max_batch = maxBatch;
  metadata.page_tokens = kPageTokens;
}

schema::EngineHeader headerOf(std::span<const std::byte> file) {
  schema::EngineHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  return header;
}

} // namespace

ToyEngine toyEngine(std::span<const std::byte> hostImage, uint32_t maxBatch) {
  ToyEngine engine;
  addModel(engine.metadata, maxBatch);
  engine.images.assign(hostImage.begin(), hostImage.end());
  if (hostImage.empty()) {
    append(engine.images, "\177ELF", 4);
    engine.images.resize(64);
  }
  for (uint32_t t = 0; t < kVocabulary; ++t) {
    const auto value = static_cast<float>(t);
    append(engine.weights, &value, sizeof(value));
  }
  append(engine.constants, &kBias, sizeof(kBias));
  addKernels(engine);
  addBuffers(engine, maxBatch);
  for (uint32_t rows = 1; rows <= maxBatch; rows *= 2) addDecodePhase(engine, rows);
  for (uint32_t rows : kPromptRows) addPromptPhase(engine, rows);
  engine.metadata.apply_edits = launchOf(
      kApplyEdits, 1, -1, {kEdits, kTokens, kPositions, kSlots, kSampling, kPromptSampled, kBlockTable, kWindowTable});
  addGolden(engine);
  return engine;
}

void addMasks(ToyEngine& engine) {
  using fb::BufferKind;
  using fb::IoRole;
  const uint64_t slots = engine.metadata.max_batch, word = sizeof(int32_t);
  const auto kernel = static_cast<uint32_t>(engine.metadata.kernels.size());
  const auto buffer = static_cast<uint32_t>(engine.metadata.buffers.size());
  addKernel(engine, "toy_masked_sample", 12, fb::Span(0, engine.images.size()));
  addKernel(engine, "toy_chain_sample", 10, fb::Span(0, engine.images.size()));
  addBuffer(engine, "masks", BufferKind::io, slots * maskWords(kVocabulary) * word, IoRole::masks);
  addBuffer(engine, "samplers", BufferKind::io, slots * sizeof(SamplerProgram), IoRole::samplers);
  addBuffer(engine, "history", BufferKind::io, slots * kMaxContext * word, IoRole::history);
  addBuffer(engine, "biases", BufferKind::io, slots * kLogitBiases * sizeof(LogitBias), IoRole::logit_biases);
  addBuffer(engine, "breakers", BufferKind::io, slots * dryBreakerWords(kVocabulary) * word, IoRole::dry_breakers);
  addBuffer(engine, "reports", BufferKind::io, slots * sizeof(SamplingReport), IoRole::sampling_reports);
  for (auto& phase : engine.metadata.phases) {
    const auto isSample = [](const auto& launch) {
      return launch->kernel == kDecodeSample || launch->kernel == kPromptSample;
    };
    fb::LaunchT& sample = **std::ranges::find_if(phase->launches, isSample);
    sample.kernel = kernel + (phase->feeds_back ? 0 : 1);
    if (phase->feeds_back)
      sample.arguments.emplace_back(kSlots, 0);
    for (uint32_t i = 0; i < 6; ++i) sample.arguments.emplace_back(buffer + i, 0);
  }
}

std::vector<std::byte> referWeights(ToyEngine& engine, const std::string& path) {
  // A tile of rows, of which the device's bytes are the granules in another order.
  constexpr uint64_t kOffset = 64, kRows = kWeightTileRows, kColumns = kWeightBlock;
  constexpr uint64_t kBytes = kRows * kColumns * sizeof(float), kGranules = kColumns / 4;
  static_assert(kBytes == kReferredBytes);
  engine.weights.resize(kBytes);
  std::vector<std::byte> file(kOffset, std::byte{0xAA});
  for (uint64_t i = 0; i < kRows * kGranules; ++i)
    append(file,
           engine.weights.data() + i / kGranules * 16 +
               weightGranuleOffset(WeightLayout::kF32Rows, WeightPlane::kCodes, kColumns, 0, i % kGranules),
           16);
  file.resize(file.size() + 8);
  engine.weights.clear();
  engine.metadata.buffers[kWeight]->bytes = kBytes;
  auto source = std::make_unique<fb::SourceFileT>();
  source->path = path;
  source->bytes = file.size();
  engine.metadata.source_files.push_back(std::move(source));
  auto weight = std::make_unique<fb::WeightSourceT>();
  weight->buffer = kWeight;
  weight->offset = kOffset;
  weight->bytes = kBytes;
  weight->xxh3 = schema::hashBytes(std::span(file).subspan(kOffset, weight->bytes));
  weight->encoding = "f32";
  weight->layout = "f32_rows";
  weight->rows = kRows;
  weight->columns = kColumns;
  engine.metadata.weight_sources.push_back(std::move(weight));
  return file;
}

std::vector<std::byte> metadataBytes(const fb::EngineT& metadata) {
  flatbuffers::FlatBufferBuilder builder;
  fb::FinishEngineBuffer(builder, fb::CreateEngine(builder, &metadata));
  std::vector<std::byte> bytes;
  append(bytes, builder.GetBufferPointer(), builder.GetSize());
  return bytes;
}

std::vector<std::byte> fileOf(const std::array<std::span<const std::byte>, schema::kSegmentCount>& segments) {
  schema::EngineHeader header = {};
  std::memcpy(header.magic, schema::kEngineMagic, sizeof(header.magic));
  header.version = schema::kEngineVersion;
  header.segmentCount = schema::kSegmentCount;
  std::vector<std::byte> file(schema::kSegmentAlignment);
  for (uint32_t i = 0; i < schema::kSegmentCount; ++i) {
    header.segments[i] = {file.size(), segments[i].size(), schema::hashBytes(segments[i])};
    append(file, segments[i].data(), segments[i].size());
    file.resize((file.size() + schema::kSegmentAlignment - 1) / schema::kSegmentAlignment * schema::kSegmentAlignment);
  }
  header.fileBytes = file.size();
  header.xxh3 = schema::hashHeader(header);
  std::memcpy(file.data(), &header, sizeof(header));
  return file;
}

std::vector<std::byte> fileBytes(const ToyEngine& engine) {
  const std::vector<std::byte> metadata = metadataBytes(engine.metadata);
  return fileOf({engine.constants, engine.weights, engine.text, engine.images, metadata});
}

void sealHeader(std::span<std::byte> file) {
  schema::EngineHeader header = headerOf(file);
  header.xxh3 = schema::hashHeader(header);
  std::memcpy(file.data(), &header, sizeof(header));
}

void sealMetadata(std::span<std::byte> file) {
  schema::EngineHeader header = headerOf(file);
  schema::SegmentEntry& entry = header.segments[static_cast<size_t>(schema::SegmentKind::kMetadata)];
  if (entry.offset <= file.size() && entry.bytes <= file.size() - entry.offset)
    entry.xxh3 = schema::hashBytes(file.subspan(entry.offset, entry.bytes));
  header.xxh3 = schema::hashHeader(header);
  std::memcpy(file.data(), &header, sizeof(header));
}

std::vector<std::byte> readFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::byte> bytes;
  append(bytes, text.data(), text.size());
  return bytes;
}

void writeFile(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

int32_t nextToken(std::span<const int32_t> tokens) {
  uint32_t state = 0;
  for (int32_t token : tokens) state = folded(state, token);
  return static_cast<int32_t>(state % kVocabulary);
}

std::vector<float> logits(std::span<const int32_t> tokens) {
  const auto next = static_cast<uint32_t>(nextToken(tokens));
  std::vector<float> row;
  for (uint32_t t = 0; t < kVocabulary; ++t) row.push_back(logitOf(t, next, kVocabulary, kLogitStep));
  return row;
}

std::vector<int32_t> continuation(std::vector<int32_t> prompt, std::size_t count) {
  std::vector<int32_t> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(nextToken(prompt));
    prompt.push_back(result.back());
  }
  return result;
}

int32_t drawnToken(uint64_t seed, uint64_t position) {
  return static_cast<int32_t>(drawn(seed, position, kVocabulary));
}

} // namespace llcuda::toy
