/* SPDX-License-Identifier: Apache-2.0 */
/* The same as generate.cpp in C: generate_c ENGINE TEXT. */
#include <stdio.h>
#include <string.h>

#include <llcuda/llcuda.h>

static int32_t print_text(const llcuda_step* step, void* user) {
  (void)user;
  fwrite(step->text, 1, step->text_bytes, stdout);
  fflush(stdout);
  return 0;
}

int main(int argc, char** argv) {
  llcuda_engine* engine = NULL;
  llcuda_session* session = NULL;
  llcuda_sampler sampler;
  llcuda_generate_options options;
  llcuda_metrics metrics = {sizeof metrics};
  llcuda_error error;
  llcuda_status status;
  if (argc != 3) {
    fprintf(stderr, "usage: generate_c ENGINE TEXT\n");
    return LLCUDA_USAGE;
  }
  llcuda_generate_options_init(&options);
  options.max_tokens = 32;
  llcuda_sampler_init(&sampler);
  sampler.temperature = 0;
  options.sampler = &sampler;
  options.callback = print_text;

  status = llcuda_engine_open(argv[1], &engine, &error);
  if (status == LLCUDA_OK)
    status = llcuda_session_create(engine, NULL, &session, &error);
  if (status == LLCUDA_OK)
    status = llcuda_session_generate_text(session, argv[2], strlen(argv[2]), &options, &metrics, &error);
  if (status == LLCUDA_OK)
    fprintf(stderr, "\n%llu tokens\n", (unsigned long long)metrics.generated_tokens);
  else
    fprintf(stderr, "generate_c: %s\n", error.message);
  llcuda_session_destroy(session);
  llcuda_engine_close(engine);
  return status;
}
