// SPDX-License-Identifier: Apache-2.0
// Stands for all of llama.cpp's libraries: writes what is called to standard error. Parameters as in llama.h of b11669.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
  void *devices, *overrides;
  int32_t n_gpu_layers, split_mode, load_mode, lazy_mode, main_gpu;
  const float* tensor_split;
  void *progress, *progress_data, *kv_overrides;
  bool flags[6];
} ModelParams;

typedef struct {
  uint32_t n_ctx, n_batch, n_ubatch, n_seq_max, n_rs_seq, n_outputs_max, n_outputs_max_per_seq;
  int32_t n_threads, n_threads_batch, ctx_type, rope_scaling_type, pooling_type, attention_type, flash_attn_type;
  float rope[6];
  uint32_t yarn_orig_ctx;
  float defrag_thold;
  void *cb_eval, *cb_eval_data;
  int32_t type_k, type_v;
  size_t moe_cache_size;
  void *abort, *abort_data;
  bool embeddings, offload_kqv, no_perf, op_offload, swa_full, kv_unified;
  void* samplers;
  size_t n_samplers;
  void* other;
} ContextParams;

typedef struct {
  int32_t n_tokens;
  int32_t* token;
  void *embd, *pos, *n_seq_id, *seq_id, *logits;
} Batch;

static int thing;

void* ggml_backend_load(const char* path) {
  return &thing;
}
size_t ggml_backend_dev_count(void) {
  return 1;
}
void* ggml_backend_dev_get(size_t index) {
  return &thing;
}
int32_t ggml_backend_dev_type(void* device) {
  return 0;
} // a processor
const char* ggml_backend_dev_description(void* device) {
  return "trace";
}

void llama_backend_init(void) {}
const char* llama_version(void) {
  return "trace";
}
ModelParams llama_model_default_params(void) {
  return (ModelParams){.n_gpu_layers = -1};
}
ContextParams llama_context_default_params(void) {
  return (ContextParams){.n_ctx = 512,
                         .n_batch = BATCH,
                         .n_ubatch = 512,
                         .n_seq_max = 1,
                         .flash_attn_type = -1,
                         .type_k = 1,
                         .other = &thing};
}
void* llama_model_load_from_file(const char* path, ModelParams params) {
  fprintf(stderr, "load %s ngl %d\n", path, params.n_gpu_layers);
  return &thing;
}
void* llama_init_from_model(void* model, ContextParams params) {
  fprintf(stderr, "context %u fa %d%s\n", params.n_ctx, params.flash_attn_type,
          params.type_k == 1 && params.other == &thing ? "" : " damaged");
  return &thing;
}
void llama_free(void* context) {
  fprintf(stderr, "free\n");
}
void* llama_model_get_vocab(void* model) {
  return &thing;
}
int32_t llama_vocab_n_tokens(void* vocabulary) {
  return 7;
}
void* llama_get_memory(void* context) {
  return &thing;
}
void llama_memory_clear(void* memory, bool data) {
  fprintf(stderr, "clear\n");
}
Batch llama_batch_get_one(int32_t* tokens, int32_t count) {
  return (Batch){.n_tokens = count, .token = tokens};
}
int32_t llama_decode(void* context, Batch batch) {
  fprintf(stderr, "decode %d\n", batch.n_tokens);
  for (int i = 0; i < batch.n_tokens; ++i)
    if (batch.token[i] < 0 || batch.token[i] >= 7)
      return 1;
  return 0;
}
void llama_synchronize(void* context) {
  fprintf(stderr, "wait\n");
}
