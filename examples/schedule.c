/* SPDX-License-Identifier: Apache-2.0 */
/* schedule ENGINE COUNT PROMPT...: continues all prompts at once by up to COUNT tokens and prints each answer on a line
 * of its own, in the order of the prompts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llcuda/llcuda.h>

struct answer {
  char* text;
  size_t bytes;
};

static int fail(const char* sentence, int status) {
  fprintf(stderr, "schedule: %s\n", sentence);
  return status;
}

static int append(struct answer* answer, const char* text, size_t bytes) {
  char* longer = realloc(answer->text, answer->bytes + bytes + 1);
  if (!longer)
    return 0;
  memcpy(longer + answer->bytes, text, bytes);
  answer->text = longer;
  answer->bytes += bytes;
  return 1;
}

static int submit(llcuda_engine* engine, llcuda_scheduler* scheduler, const char* prompt, int count,
                  struct answer* answer) {
  int32_t tokens[4096];
  llcuda_error error;
  llcuda_sampler sampler;
  llcuda_request request;
  llcuda_request_init(&request);
  if (llcuda_tokenize(engine, prompt, strlen(prompt), LLCUDA_ADD_BOS | LLCUDA_PARSE_SPECIAL, tokens, 4096,
                      &request.count, &error) != LLCUDA_OK)
    return fail(error.message, error.status);
  request.tokens = tokens;
  request.max_tokens = count;
  llcuda_sampler_init(&sampler);
  sampler.temperature = 0;
  request.sampler = &sampler;
  request.user = answer;
  uint64_t number;
  if (llcuda_scheduler_submit(scheduler, &request, &number, &error) != LLCUDA_OK)
    return fail(error.message, error.status);
  return LLCUDA_OK;
}

/* Reads events until `left` requests have ended. */
static int listen_to(llcuda_scheduler* scheduler, int left) {
  llcuda_event events[16];
  while (left > 0) {
    events[0].struct_bytes = sizeof(events[0]);
    const size_t count = llcuda_scheduler_poll(scheduler, events, 16, -1);
    for (size_t i = 0; i < count; ++i) {
      if (events[i].kind == LLCUDA_EVENT_TOKEN && !append(events[i].user, events[i].text, events[i].text_bytes))
        return fail("out of memory", LLCUDA_OUT_OF_MEMORY);
      if (events[i].kind == LLCUDA_EVENT_FAILED)
        return fail(events[i].message, events[i].status);
      left -= events[i].kind == LLCUDA_EVENT_DONE;
    }
  }
  return LLCUDA_OK;
}

int main(int argc, char** argv) {
  if (argc < 4)
    return fail("usage: schedule ENGINE COUNT PROMPT...", LLCUDA_USAGE);
  const int prompts = argc - 3;
  struct answer* answers = calloc((size_t)prompts, sizeof(*answers));
  llcuda_engine* engine = NULL;
  llcuda_scheduler* scheduler = NULL;
  llcuda_error error;
  int status = LLCUDA_OK;
  if (!answers)
    status = fail("out of memory", LLCUDA_OUT_OF_MEMORY);
  else if (llcuda_engine_open(argv[1], &engine, &error) != LLCUDA_OK ||
           llcuda_scheduler_create(engine, NULL, &scheduler, &error) != LLCUDA_OK)
    status = fail(error.message, error.status);
  for (int i = 0; i < prompts && status == LLCUDA_OK; ++i)
    status = submit(engine, scheduler, argv[3 + i], atoi(argv[2]), &answers[i]);
  if (status == LLCUDA_OK)
    status = listen_to(scheduler, prompts);
  for (int i = 0; i < prompts && answers; ++i) {
    if (status == LLCUDA_OK)
      printf("%.*s\n", (int)answers[i].bytes, answers[i].text ? answers[i].text : "");
    free(answers[i].text);
  }
  free(answers);
  llcuda_scheduler_destroy(scheduler);
  llcuda_engine_close(engine);
  return status;
}
