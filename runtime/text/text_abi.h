/* SPDX-License-Identifier: Apache-2.0
 * The border between the C++ of this room and its Rust crate (rust/src/abi.rs). Nothing else includes it.
 *
 * Functions that can fail answer 0 and write `out`, or answer an llcuda::ErrorCode and write `error`: a sentence without
 * a final full stop. What they write is the caller's to free. A handle may be used by several threads at once.
 * Text is UTF-8 without a final zero; pointers may be null where the size is 0. */
#ifndef LLCUDA_RUNTIME_TEXT_TEXT_ABI_H
#define LLCUDA_RUNTIME_TEXT_TEXT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint8_t* data;
  size_t size;
  size_t capacity;
} llcuda_text_bytes;

typedef struct {
  uint32_t* data;
  size_t size;
  size_t capacity;
} llcuda_text_ids;

void llcuda_text_bytes_free(llcuda_text_bytes bytes);
void llcuda_text_ids_free(llcuda_text_ids ids);

typedef struct llcuda_text_tokenizer llcuda_text_tokenizer;

int32_t llcuda_text_tokenizer_open(const uint8_t* json, size_t size, llcuda_text_tokenizer** out,
                                   llcuda_text_bytes* error);
void llcuda_text_tokenizer_close(llcuda_text_tokenizer* tokenizer);
/* One more than the highest id. */
size_t llcuda_text_tokenizer_size(const llcuda_text_tokenizer* tokenizer);
/* Adds no BOS and no EOS. Bytes that are not UTF-8 count as U+FFFD. With parse_special 0 the text of a special token is
 * plain text. */
int32_t llcuda_text_tokenizer_encode(const llcuda_text_tokenizer* tokenizer, const uint8_t* text, size_t size,
                                     int32_t parse_special, llcuda_text_ids* out, llcuda_text_bytes* error);

enum { LLCUDA_TEXT_PIECE_SPECIAL = 1, LLCUDA_TEXT_PIECE_PRESENT = 2 };
/* Answers the flags of a token; without LLCUDA_TEXT_PIECE_PRESENT the vocabulary has no such id and nothing is written.
 * The bytes live as long as the tokenizer. */
int32_t llcuda_text_tokenizer_piece(const llcuda_text_tokenizer* tokenizer, uint32_t id, const uint8_t** data,
                                    size_t* size);
/* The id of the token that is written so, or -1. */
int64_t llcuda_text_tokenizer_find(const llcuda_text_tokenizer* tokenizer, const uint8_t* text, size_t size);

typedef struct llcuda_text_template llcuda_text_template;

int32_t llcuda_text_template_open(const uint8_t* source, size_t size, llcuda_text_template** out,
                                  llcuda_text_bytes* error);
void llcuda_text_template_close(llcuda_text_template* chat_template);
/* `context` is a JSON object of the template's variables; `now` are seconds since 1970 for strftime_now. */
int32_t llcuda_text_template_render(const llcuda_text_template* chat_template, const uint8_t* context, size_t size,
                                    int64_t now, llcuda_text_bytes* out, llcuda_text_bytes* error);

/* What grammars need of a vocabulary. */
typedef struct llcuda_text_grammars llcuda_text_grammars;
typedef struct llcuda_text_grammar llcuda_text_grammar;
/* Where one answer stands in its grammar. Used by one thread at a time, unlike other handles. */
typedef struct llcuda_text_matcher llcuda_text_matcher;

/* `vocabulary`: rows of the model's head, of which masks have a bit each; `stops`: tokens that end an answer. Copies
 * what it needs of the tokenizer. */
int32_t llcuda_text_grammars_open(const llcuda_text_tokenizer* tokenizer, uint32_t vocabulary, const int32_t* stops,
                                  size_t stop_count, llcuda_text_grammars** out, llcuda_text_bytes* error);
void llcuda_text_grammars_close(llcuda_text_grammars* grammars);

enum {
  LLCUDA_TEXT_GRAMMAR_JSON_SCHEMA = 1,
  LLCUDA_TEXT_GRAMMAR_JSON_OBJECT = 2, /* of any JSON object; `text` is not read */
  LLCUDA_TEXT_GRAMMAR_REGEX = 3,
  LLCUDA_TEXT_GRAMMAR_LARK = 4
};
/* Gives up after `milliseconds`. Lives on after its llcuda_text_grammars. */
int32_t llcuda_text_grammar_create(const llcuda_text_grammars* grammars, int32_t kind, const uint8_t* text, size_t size,
                                   uint32_t milliseconds, llcuda_text_grammar** out, llcuda_text_bytes* error);
void llcuda_text_grammar_free(llcuda_text_grammar* grammar);

/* At the beginning of the grammar, of which it is independent. The first one takes long: it makes the first mask. */
int32_t llcuda_text_matcher_create(const llcuda_text_grammar* grammar, llcuda_text_matcher** out,
                                   llcuda_text_bytes* error);
int32_t llcuda_text_matcher_clone(const llcuda_text_matcher* matcher, llcuda_text_matcher** out,
                                  llcuda_text_bytes* error);
void llcuda_text_matcher_free(llcuda_text_matcher* matcher);
/* Bit t % 32 of word t / 32: whether token t may come next. Of a grammar that has ended the stop tokens may. */
int32_t llcuda_text_matcher_mask(llcuda_text_matcher* matcher, uint32_t* words, size_t count, llcuda_text_bytes* error);
int32_t llcuda_text_matcher_consume(llcuda_text_matcher* matcher, uint32_t token, llcuda_text_bytes* error);
/* Text that is no whole token. Blanks in front of it need not be of the grammar. */
int32_t llcuda_text_matcher_consume_text(llcuda_text_matcher* matcher, const uint8_t* text, size_t size,
                                         llcuda_text_bytes* error);
/* Whether the grammar has ended and nothing but a stop token may come. */
int32_t llcuda_text_matcher_is_stopped(const llcuda_text_matcher* matcher);

#ifdef __cplusplus
}
#endif
#endif
