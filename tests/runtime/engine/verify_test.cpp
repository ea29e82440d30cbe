// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine/engine.h"

#include <functional>
#include <limits>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

using testing::HasSubstr;
using toy::ToyEngine;

Error openError(const ToyEngine& engine) {
  const std::vector<std::byte> file = toy::fileBytes(engine);
  auto opened = Engine::view(file, "toy.engine");
  return opened ? Error{} : opened.error();
}

struct Damage {
  const char* message; // what the error has to say
  std::function<void(fb::EngineT&)> apply;
};

/// Of two texts.
std::unique_ptr<fb::TokenizerVectorsT> vectors(std::vector<uint32_t> ends, std::vector<int32_t> ids) {
  auto record = std::make_unique<fb::TokenizerVectorsT>();
  record->texts = {"one", "two"};
  record->ends = std::move(ends);
  record->ids = std::move(ids);
  return record;
}

/// Of the second launch.
void setWork(fb::EngineT& engine, uint32_t rows, uint64_t keyBytes, fb::ArithmeticUnit unit) {
  *engine.phases[0]->launches[1]->work = fb::Work(0, 0, 0, keyBytes, 0, 0, 0, rows, 0, 0, 0, 0, unit);
}

/// The same, of experts.
void setExperts(fb::EngineT& engine, uint64_t bytes, uint32_t experts, uint32_t choices, uint32_t tileRows) {
  *engine.phases[0]->launches[1]->work =
      fb::Work(0, 0, 0, 0, 0, 0, bytes, 1, 0, experts, choices, tileRows, fb::ArithmeticUnit::none);
}

void setOutputs(fb::EngineT& engine, uint32_t phase, const std::vector<uint32_t>& outputs) {
  auto& tails = engine.phases[phase]->tails;
  for (size_t t = 0; t < outputs.size(); ++t) tails[t] = fb::Tail(tails[t].kind(), outputs[t], tails[t].first());
}

void setFirst(fb::EngineT& engine, uint32_t phase, uint32_t tail, uint32_t first) {
  fb::Tail& changed = engine.phases[phase]->tails[tail];
  changed = fb::Tail(changed.kind(), changed.outputs(), first);
}

// Each of these metadata numbers is relied on without a check by code that runs after opening.
const Damage kDamages[] = {
    {"max_context is 0", [](fb::EngineT& e) { e.max_context = 0; }},
    {"weight_piece_bytes is 0, allowed are 65536 to", [](fb::EngineT& e) { e.weight_pieces = {1}; }},
    {"weight_piece_bytes is 4294967295, allowed are 65536 to",
     [](fb::EngineT& e) { e.weight_pieces = {1}, e.weight_piece_bytes = UINT32_MAX; }},
    {"weight_piece_bytes is 65537, not a multiple of 4096",
     [](fb::EngineT& e) { e.weight_pieces = {1}, e.weight_piece_bytes = 65537; }},
    {"weight_pieces has 2 entries, the weights have 388 bytes in pieces of 65536",
     [](fb::EngineT& e) { e.weight_pieces = {1, 2}, e.weight_piece_bytes = 65536; }},
    {"max_batch is 100000", [](fb::EngineT& e) { e.max_batch = 100000; }},
    {"page_tokens is 3, not a power of two", [](fb::EngineT& e) { e.page_tokens = 3; }},
    {"model.vocabulary is 0", [](fb::EngineT& e) { e.model->vocabulary = 0; }},
    {"model.heads is 3, not a multiple", [](fb::EngineT& e) { e.model->heads = 3, e.model->kv_heads = 2; }},
    {"phases[0] feeds back, which none of an encoder does", [](fb::EngineT& e) { e.model->encoder = true; }},
    {"phases[0] has 4 tails, one that is of an encoder has 1",
     [](fb::EngineT& e) {
       e.model->encoder = true;
       std::erase_if(e.phases, [](const auto& phase) { return phase->feeds_back; });
     }},
    {"phases[0].tails[0].outputs is 99 for ",
     [](fb::EngineT& e) {
       e.model->encoder = true;
       std::erase_if(e.phases, [](const auto& phase) { return phase->feeds_back; });
       for (auto& phase : e.phases) phase->tails = {fb::Tail(fb::TailKind::pool, 99, 1)};
     }},
    {"phases[0] has no buffer of role text_lengths",
     [](fb::EngineT& e) {
       e.model->encoder = true;
       std::erase_if(e.phases, [](const auto& phase) { return phase->feeds_back; });
       for (auto& phase : e.phases)
         phase->tails = {fb::Tail(fb::TailKind::pool, phase->tails[3].outputs(), 1)};
     }},
    {"text.config is empty", [](fb::EngineT& e) { e.text = std::make_unique<fb::TextT>(); }},
    {"text.config ends past the text segment",
     [](fb::EngineT& e) {
       e.text = std::make_unique<fb::TextT>();
       e.text->config = std::make_unique<fb::Span>(UINT64_MAX, 2);
     }},
    {"golden.tokens[1] is 97 of 97", [](fb::EngineT& e) { e.golden->tokens[1] = 97; }},
    {"golden.top has 29 entries", [](fb::EngineT& e) { e.golden->top.pop_back(); }},
    {"golden.top[3].token is -1",
     [](fb::EngineT& e) {
       e.golden->top[3] = {-1, 0.f};
     }},
    {"golden.top[4].log_probability is not a number",
     [](fb::EngineT& e) {
       e.golden->top[4] = {1, std::numeric_limits<float>::quiet_NaN()};
     }},
    {"golden_prompts[1].tokens[0] is -1 of 97",
     [](fb::EngineT& e) {
       for (int i = 0; i < 2; ++i) e.golden_prompts.push_back(std::make_unique<fb::GoldenT>(*e.golden));
       e.golden_prompts[1]->tokens[0] = -1;
     }},
    {"golden_prompts has 257 entries",
     [](fb::EngineT& e) {
       for (int i = 0; i < 257; ++i) e.golden_prompts.push_back(std::make_unique<fb::GoldenT>(*e.golden));
     }},
    {"tokenizer_vectors has 2 texts and 1 ends", [](fb::EngineT& e) { e.tokenizer_vectors = vectors({3}, {1, 2, 3}); }},
    {"tokenizer_vectors.ends[1] is 2 of 3", [](fb::EngineT& e) { e.tokenizer_vectors = vectors({3, 2}, {1, 2, 3}); }},
    {"tokenizer_vectors.ends[0] is 4 of 3", [](fb::EngineT& e) { e.tokenizer_vectors = vectors({4, 4}, {1, 2, 3}); }},
    {"tokenizer_vectors.ids[2] is 97 of 97", [](fb::EngineT& e) { e.tokenizer_vectors = vectors({1, 3}, {1, 2, 97}); }},
    {"phases[0].launches[1].tap is of layer -1, the next one is of layer 0",
     [](fb::EngineT& e) { e.phases[0]->launches[1]->tap = 2; }},
    {"phases[0].launches[1].tap is of layer 0, the next one is of layer 1",
     [](fb::EngineT& e) {
       e.phases[0]->launches[0]->tap = e.phases[0]->launches[1]->tap = 2;
       e.phases[0]->launches[1]->layer = 0;
     }},
    {"phases[0].launches[0].tap is buffer 1000 of", [](fb::EngineT& e) { e.phases[0]->launches[0]->tap = 1000; }},
    {"phases[0].launches[0].tap is buffer -2 of", [](fb::EngineT& e) { e.phases[0]->launches[0]->tap = -2; }},
    {"phases[0].launches[0].tap is no arena buffer of 4 bytes",
     [](fb::EngineT& e) { e.phases[0]->launches[0]->tap = 0; }},
    {"phases[3].launches[0].tap is no arena buffer of 64 bytes",
     [](fb::EngineT& e) {
       e.model->embedding = 2;
       e.phases[3]->launches[0]->tap = 2;
     }},
    {"phases[0] has taps of 1 layers of 3",
     [](fb::EngineT& e) {
       e.model->layers = 3;
       e.phases[0]->launches[0]->tap = 2;
     }},
    {"kernels has 0 entries", [](fb::EngineT& e) { e.kernels.clear(); }},
    {"kernels[1] has a name or op that is not of the form", [](fb::EngineT& e) { e.kernels[1]->name = "a\nb"; }},
    {"kernels[1] has a name or op that is not of the form", [](fb::EngineT& e) { e.kernels[1]->op = ""; }},
    {"kernels[1].name is that of an earlier", [](fb::EngineT& e) { e.kernels[1]->name = e.kernels[0]->name; }},
    {"kernels[2].threads is 0", [](fb::EngineT& e) { e.kernels[2]->threads = 0; }},
    {"kernels[2].threads is 33", [](fb::EngineT& e) { e.kernels[2]->threads = 33; }},
    {"bytes of shared memory", [](fb::EngineT& e) { e.kernels[2]->dynamic_shared_bytes = 70000; }},
    {"bytes of shared memory", [](fb::EngineT& e) { e.kernels[0]->static_shared_bytes = UINT32_MAX; }},
    {"needs 255 registers", [](fb::EngineT& e) { e.kernels[0]->registers = 255, e.kernels[0]->threads = 1024; }},
    {"kernels[0].param_count is 65", [](fb::EngineT& e) { e.kernels[0]->param_count = 65; }},
    {"kernels[0] has 0 images", [](fb::EngineT& e) { e.kernels[0]->images.clear(); }},
    {"two host_x86_64 images", [](fb::EngineT& e) { e.kernels[0]->images.push_back(e.kernels[0]->images[0]); }},
    {"ends past the images segment",
     [](fb::EngineT& e) { e.kernels[0]->images = {fb::Image(fb::ImageKind::host_x86_64, fb::Span(8, UINT64_MAX))}; }},
    {"is not an ELF image",
     [](fb::EngineT& e) { e.kernels[0]->images = {fb::Image(fb::ImageKind::cubin_sm_75, fb::Span(0, 4))}; }},
    {"does not end with a zero byte",
     [](fb::EngineT& e) { e.kernels[0]->images = {fb::Image(fb::ImageKind::ptx_compute_75, fb::Span(0, 2))}; }},
    {"buffers has 0 entries", [](fb::EngineT& e) { e.buffers.clear(); }},
    {"buffers[0].bytes is 0", [](fb::EngineT& e) { e.buffers[0]->bytes = 0; }},
    {"buffers[0] (weight) ends past", [](fb::EngineT& e) { e.buffers[0]->bytes += 1; }},
    {"buffers[0].offset is 4, not a multiple", [](fb::EngineT& e) { e.buffers[0]->offset = 4; }},
    {"buffers[1] (constant) ends past", [](fb::EngineT& e) { e.buffers[1]->offset = UINT64_MAX - 255; }},
    {"buffers[2] (arena) ends past", [](fb::EngineT& e) { e.arena_bytes = 8; }},
    {"buffers[3].offset is 256, kind kv has none", [](fb::EngineT& e) { e.buffers[3]->offset = 256; }},
    {"buffers[2] has a window of 6 and is neither", [](fb::EngineT& e) { e.buffers[2]->window = 6; }},
    {"buffers[3].window is 30, the context has 30", [](fb::EngineT& e) { e.buffers[3]->window = 30; }},
    {"has a page pool of window 7 without the block table", [](fb::EngineT& e) { e.buffers[3]->window = 7; }},
    {"page of all layers larger", [](fb::EngineT& e) { e.buffers[3]->bytes = uint64_t{1} << 39; }},
    {"not a multiple of 4", [](fb::EngineT& e) { e.buffers[5]->bytes = 7; }},
    {"of kind arena with role tokens", [](fb::EngineT& e) { e.buffers[2]->role = fb::IoRole::tokens; }},
    {"buffers[2] is of kind arena with part keys and no kv_type",
     [](fb::EngineT& e) { e.buffers[2]->part = fb::KvPart::keys; }},
    {"buffers[2] is of kind arena with part none and a kv_type", [](fb::EngineT& e) { e.buffers[2]->kv_type = "f16"; }},
    {"buffers[3] is of kind kv with part none and a kv_type",
     [](fb::EngineT& e) { e.buffers[3]->part = fb::KvPart::none; }},
    {"buffers[3] is of kind kv with part keys and no kv_type", [](fb::EngineT& e) { e.buffers[3]->kv_type = ""; }},
    {"buffers[4].kv_type is not one that this version knows", [](fb::EngineT& e) { e.buffers[4]->kv_type = "q4_k"; }},
    {"buffers[4].kv_type is q8_0, the keys before it are f16",
     [](fb::EngineT& e) { e.buffers[4]->part = fb::KvPart::keys, e.buffers[4]->kv_type = "q8_0"; }},
    {"of kind io with role none", [](fb::EngineT& e) { e.buffers[6]->role = fb::IoRole::none; }},
    {"phases has 0 entries", [](fb::EngineT& e) { e.phases.clear(); }},
    {"there is no prompt phase", [](fb::EngineT& e) { e.phases.resize(2); }},
    {"the widest decode phase has 1 rows", [](fb::EngineT& e) { e.phases.erase(e.phases.begin() + 1); }},
    {"phases[3] repeats", [](fb::EngineT& e) { e.phases[3]->rows = 4, setOutputs(e, 3, {1, 1, 3, 1}); }},
    {"phases[0].rows is 0", [](fb::EngineT& e) { e.phases[0]->rows = 0; }},
    {"phases[2].tails[0].outputs is 2, allowed are 1 to the 1 blocks", [](fb::EngineT& e) { setOutputs(e, 2, {2, 2, 3, 1}); }},
    {"phases[3].tails[0].outputs is 0", [](fb::EngineT& e) { setOutputs(e, 3, {0, 0, 3, 2}); }},
    {"phases[2].row_block is 5, allowed are 1 to the 4 rows", [](fb::EngineT& e) { e.phases[2]->row_block = 5; }},
    {"phases[1] feeds back 1 outputs of 2 rows in blocks of 1", [](fb::EngineT& e) { setOutputs(e, 1, {1, 1}); }},
    {"phases[3] feeds back 2 outputs of 8 rows in blocks of 4", [](fb::EngineT& e) { e.phases[3]->feeds_back = true, e.phases[3]->tails.resize(2); }},
    {"phases[1].tails[1].outputs is 1 for the 2 that are sampled", [](fb::EngineT& e) { setOutputs(e, 1, {2, 1}); }},
    {"phases[2].tails[2].outputs is 0, allowed are 1 to the 4 rows", [](fb::EngineT& e) { setOutputs(e, 2, {1, 1, 0, 1}); }},
    {"phases[2].tails[2].outputs is 5, allowed are 1 to the 4 rows", [](fb::EngineT& e) { setOutputs(e, 2, {1, 1, 5, 1}); }},
    {"phases[3].tails[3].outputs is 1 for 2 blocks of rows", [](fb::EngineT& e) { setOutputs(e, 3, {2, 2, 3, 1}); }},
    {"phases[0].tails[0].first is 0, allowed are 1 to the last of 4", [](fb::EngineT& e) { setFirst(e, 0, 0, 0); }},
    {"phases[0].tails[1].first is 4, allowed are 2 to the last of 4", [](fb::EngineT& e) { setFirst(e, 0, 1, 4); }},
    {"phases[3].tails[2].first is 3, allowed are 4 to", [](fb::EngineT& e) { setFirst(e, 3, 2, 3); }},
    {"phases[0] has 0 tails, one that feeds back has 2", [](fb::EngineT& e) { e.phases[0]->tails.clear(); }},
    {"phases[2] has 2 tails, one that does not feed back has 4", [](fb::EngineT& e) { e.phases[2]->tails.resize(2); }},
    {"phases[0].tails[0].kind is 3, not sample", [](fb::EngineT& e) { std::swap(e.phases[0]->tails[0], e.phases[0]->tails[1]); }},
    {"phases[2].tails[3].kind is 77, not pool", [](fb::EngineT& e) { e.phases[2]->tails[3] = fb::Tail(static_cast<fb::TailKind>(77), 1, 5); }},
    {"model.pooling is 4", [](fb::EngineT& e) { e.model->pooling = static_cast<fb::Pooling>(4); }},
    {"role scores with 176 bytes, its rows need 352", [](fb::EngineT& e) { e.buffers[22]->bytes = 176; }},
    {"role scores with 352 bytes, its rows need 528", [](fb::EngineT& e) { e.buffers[23]->bytes = 352; }},
    {"role score_rows with 8 bytes, its rows need 12", [](fb::EngineT& e) { e.buffers[24]->bytes = 8; }},
    {"role score_tokens with 8 bytes, its rows need 12", [](fb::EngineT& e) { e.buffers[25]->bytes = 8; }},
    {"role pool_rows with 12 bytes, its rows need 16", [](fb::EngineT& e) { e.buffers[26]->bytes = 12; }},
    {"role pooled with 4 bytes, its rows need 8", [](fb::EngineT& e) { e.buffers[27]->bytes = 4; }},
    {"may not have a buffer of role score_rows", [](fb::EngineT& e) { e.phases[0]->launches[1]->arguments[6] = {24, 0}; }},
    {"may not have a buffer of role pooled", [](fb::EngineT& e) { e.phases[0]->launches[1]->arguments[6] = {27, 0}; }},
    {"phases[2] has no buffer of role pool_rows", [](fb::EngineT& e) { e.phases[2]->launches[5]->arguments[1] = {2, 0}; }},
    {"phases[1] has 0 launches", [](fb::EngineT& e) { e.phases[1]->launches.clear(); }},
    {"phases[0].launches[1].kernel is 1000 of", [](fb::EngineT& e) { e.phases[0]->launches[1]->kernel = 1000; }},
    {"has a grid of 0 x 1 x 1", [](fb::EngineT& e) { e.phases[0]->launches[0]->grid_x = 0; }},
    {"has a grid of 1 x 1 x 70000", [](fb::EngineT& e) { e.phases[0]->launches[0]->grid_z = 70000; }},
    {"launches[0].layer is 1 of 1", [](fb::EngineT& e) { e.phases[0]->launches[0]->layer = 1; }},
    {"phases[0].launches[1].work.rows is 0", [](fb::EngineT& e) { setWork(e, 0, 0, fb::ArithmeticUnit::none); }},
    {"phases[0].launches[1].work has the number 18446744073709551615",
     [](fb::EngineT& e) { setWork(e, 1, UINT64_MAX, fb::ArithmeticUnit::none); }},
    {".work has 3 choices of 2 experts", [](fb::EngineT& e) { setExperts(e, 0, 2, 3, 0); }},
    {".work has 0 choices of 2 experts", [](fb::EngineT& e) { setExperts(e, 0, 2, 0, 0); }},
    {".work has 0 choices of 0 experts, 5 bytes of each", [](fb::EngineT& e) { setExperts(e, 5, 0, 0, 0); }},
    {".work has 1 choices of 65537 experts", [](fb::EngineT& e) { setExperts(e, 5, 65537, 1, 0); }},
    {"tiles of 65537 rows", [](fb::EngineT& e) { setExperts(e, 5, 2, 1, 65537); }},
    {"has 8 arguments, its kernel has 9", [](fb::EngineT& e) { e.phases[0]->launches[0]->arguments.pop_back(); }},
    {".arguments[2] is buffer 1000 of",
     [](fb::EngineT& e) {
       e.phases[0]->launches[0]->arguments[2] = {1000, 0};
     }},
    {"starts at 388 of the buffer's 388",
     [](fb::EngineT& e) {
       e.phases[0]->launches[0]->arguments[4] = {0, 388};
     }},
    {"starts at 2, not a multiple of 4",
     [](fb::EngineT& e) {
       e.phases[0]->launches[0]->arguments[4] = {0, 2};
     }},
    {"starts inside an io buffer",
     [](fb::EngineT& e) {
       e.phases[0]->launches[0]->arguments[0] = {6, 4};
     }},
    {"starts inside a page pool",
     [](fb::EngineT& e) {
       e.phases[0]->launches[0]->arguments[6] = {3, 4};
     }},
    {"starts inside a state",
     [](fb::EngineT& e) {
       e.buffers[3]->kind = fb::BufferKind::state;
       e.buffers[3]->part = fb::KvPart::none, e.buffers[3]->kv_type.clear();
       e.phases[0]->launches[0]->arguments[6] = {3, 4};
     }},
    {"is a second buffer of role tokens", [](fb::EngineT& e) { e.buffers[12]->role = fb::IoRole::tokens; }},
    {"has no buffer of role slots",
     [](fb::EngineT& e) {
       for (auto& phase : e.phases)
         for (auto& launch : phase->launches)
           for (auto& argument : launch->arguments)
             if (argument.buffer() == 8)
               argument = {2, 0};
     }},
    {"may not have a buffer of role output_rows",
     [](fb::EngineT& e) {
       e.phases[0]->launches[1]->arguments[6] = {9, 0};
     }},
    {"role logits with 388 bytes, its rows need 776", [](fb::EngineT& e) { e.buffers[12]->bytes = 388; }},
    {"there is no apply_edits", [](fb::EngineT& e) { e.apply_edits.reset(); }},
    {"apply_edits has 0 arguments for the block table buffers[11], not one",
     [](fb::EngineT& e) {
       e.apply_edits->arguments[6] = {14, 0};
     }},
    {"bytes for edits, its rows need", [](fb::EngineT& e) { e.buffers[21]->bytes -= 4; }},
    {"phases[0] has a buffer of role positions that apply_edits has not",
     [](fb::EngineT& e) {
       e.apply_edits->arguments[2] = {16, 0};
     }},
    {"phases[2] has a buffer of role sampled that apply_edits has not",
     [](fb::EngineT& e) {
       e.apply_edits->arguments[5] = {13, 0};
     }},
    {"role block_table with 60 bytes", [](fb::EngineT& e) { e.buffers[11]->bytes = 60; }},
};

// The same for an engine whose weight lies in another file.
const Damage kSourceDamages[] = {
    {"weight_sources[0].file is 0, there are 0", [](fb::EngineT& e) { e.source_files.clear(); }},
    {"source_files[0].path is no path", [](fb::EngineT& e) { e.source_files[0]->path = std::string("a\0b", 3); }},
    {"source_files[0].path is no path", [](fb::EngineT& e) { e.source_files[0]->path = "folder/"; }},
    {"source_files[0].bytes is", [](fb::EngineT& e) { e.source_files[0]->bytes = UINT64_MAX; }},
    {"buffers[0] (weight) ends past its 0 bytes", [](fb::EngineT& e) { e.weight_sources.clear(); }},
    {"weight_sources[1].buffer is 0 and does not rise",
     [](fb::EngineT& e) { e.weight_sources.push_back(std::make_unique<fb::WeightSourceT>(*e.weight_sources[0])); }},
    {"weight_sources[0].buffer is 1000 of", [](fb::EngineT& e) { e.weight_sources[0]->buffer = 1000; }},
    {"weight_sources[0].buffer is 1, which is no weight", [](fb::EngineT& e) { e.weight_sources[0]->buffer = 1; }},
    {"weight_sources[0].file is 1, there are 1", [](fb::EngineT& e) { e.weight_sources[0]->file = 1; }},
    {"weight_sources[0] ends past its file", [](fb::EngineT& e) { e.weight_sources[0]->offset = UINT64_MAX; }},
    {"weight_sources[0].encoding is none", [](fb::EngineT& e) { e.weight_sources[0]->encoding = "q9_9"; }},
    {"weight_sources[0].layout is none", [](fb::EngineT& e) { e.weight_sources[0]->layout = "heap"; }},
    {"out of range", [](fb::EngineT& e) { e.weight_sources[0]->rows = UINT64_MAX; }},
    {"weight_sources[0] makes 8192 bytes for a buffer of 4096", [](fb::EngineT& e) { e.weight_sources[0]->rows = 33; }},
    {"weight_sources[0].bytes is 4092", [](fb::EngineT& e) { e.weight_sources[0]->bytes -= 4; }},
    {"weight_sources[0].pair_rows is 3 of groups of 3 of 32 rows",
     [](fb::EngineT& e) { e.weight_sources[0]->pair_rows = 3; }},
    {"buffers[0].offset is 4, not a multiple", [](fb::EngineT& e) { e.buffers[0]->offset = 4; }},
    {"buffers[0] (weight) ends past", [](fb::EngineT& e) { e.buffers[0]->offset = uint64_t{1} << 50; }},
};

TEST(Verify, ToyEngineIsSound) {
  const std::vector<std::byte> file = toy::fileBytes(toy::toyEngine());
  auto engine = Engine::view(file, "toy.engine");
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  EXPECT_EQ(engine->maxPages(), toy::kMaxPages);
  EXPECT_EQ(engine->cacheType(fb::KvPart::keys), "f16");
  EXPECT_TRUE(engine->hasImages(fb::ImageKind::host_x86_64));
  EXPECT_FALSE(engine->hasImages(fb::ImageKind::cubin_sm_75));
  EXPECT_EQ(engine->segment(schema::SegmentKind::kWeights).size(), toy::kVocabulary * sizeof(float));
  EXPECT_EQ(engine->image(*engine->metadata().kernels()->Get(4)->images()->Get(0)).size(), 64u);
}

TEST(Verify, EveryDamageIsNamed) {
  for (const Damage& damage : kDamages) {
    ToyEngine engine = toy::toyEngine();
    damage.apply(engine.metadata);
    const Error error = openError(engine);
    EXPECT_THAT(error.message, HasSubstr(damage.message));
    EXPECT_THAT(error.message, testing::StartsWith("toy.engine: "));
    EXPECT_TRUE(error.code == ErrorCode::kBadInput || error.code == ErrorCode::kUnsupported) << error.message;
  }
}

TEST(Verify, EveryDamageOfASourceIsNamed) {
  const auto damaged = [](auto apply) {
    ToyEngine engine = toy::toyEngine();
    (void)toy::referWeights(engine, "/models/toy.gguf");
    apply(engine.metadata);
    return openError(engine).message;
  };
  EXPECT_EQ(damaged([](fb::EngineT&) {}), "");
  for (const Damage& damage : kSourceDamages) EXPECT_THAT(damaged(damage.apply), HasSubstr(damage.message));
}

// Numbers of enums that the schema does not have survive the FlatBuffers verifier.
TEST(Verify, UnknownEnumNumbers) {
  const auto broken = [](auto change) {
    ToyEngine engine = toy::toyEngine();
    change(engine.metadata);
    return openError(engine).message;
  };
  EXPECT_THAT(broken([](fb::EngineT& e) { e.buffers[0]->kind = static_cast<fb::BufferKind>(7); }),
              HasSubstr("buffers[0].kind is 7"));
  EXPECT_THAT(broken([](fb::EngineT& e) { e.buffers[6]->role = static_cast<fb::IoRole>(200); }),
              HasSubstr("buffers[6].role is 200"));
  EXPECT_THAT(broken([](fb::EngineT& e) { e.buffers[3]->part = static_cast<fb::KvPart>(3); }),
              HasSubstr("buffers[3].part is 3"));
  EXPECT_THAT(broken([](fb::EngineT& e) { setWork(e, 1, 0, static_cast<fb::ArithmeticUnit>(5)); }),
              HasSubstr("launches[1].work.unit is 5"));
  EXPECT_THAT(broken([](fb::EngineT& e) {
                e.kernels[0]->images = {fb::Image(static_cast<fb::ImageKind>(3), fb::Span(0, 64))};
              }),
              HasSubstr("images[0].kind is 3"));
}

// A FlatBuffer that is not one, with right hashes around it.
TEST(Verify, MetadataIsNoFlatBuffer) {
  for (std::size_t bytes : {0, 1, 7, 8, 64}) {
    const std::vector<std::byte> metadata(bytes, std::byte{0x5a});
    std::array<std::span<const std::byte>, schema::kSegmentCount> segments;
    segments[static_cast<std::size_t>(schema::SegmentKind::kMetadata)] = metadata;
    const std::vector<std::byte> file = toy::fileOf(segments);
    auto opened = Engine::view(file, "toy.engine");
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.error().message, HasSubstr("metadata does not follow the engine schema")) << bytes;
  }
}

} // namespace
} // namespace llcuda
