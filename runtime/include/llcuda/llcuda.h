/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface of llcuda: open an engine, create a session, feed tokens or text, read tokens as they come; or create
 * a scheduler and submit many requests at once.
 *
 *   llcuda_engine* engine = NULL;
 *   llcuda_session* session = NULL;
 *   llcuda_error error;
 *   if (llcuda_engine_open("model.engine", &engine, &error) == LLCUDA_OK &&
 *       llcuda_session_create(engine, NULL, &session, &error) == LLCUDA_OK)
 *     llcuda_session_generate_text(session, "The capital of France is", 24, NULL, NULL, &error);
 *
 * Errors     Every function that can fail returns a status and, when `error` is not NULL, writes the status and one
 *            sentence there. Out parameters are written on LLCUDA_OK alone, unless said otherwise.
 * Ownership  What a function creates, its counterpart destroys. Strings and arrays handed in are read during the call
 *            only; strings and arrays handed out belong to the object that they come from.
 * Threads    An engine may be used from any number of threads at once. A session belongs to one thread at a time;
 *            llcuda_session_cancel alone may be called from any thread meanwhile. Two sessions never share state that
 *            shows.
 * Structs    `struct_bytes` is sizeof the struct as the caller was compiled. In options the *_init functions set it, and a
 *            library that is newer than its caller takes the defaults for the fields that the caller does not know. In a
 *            struct that the caller hands in to be filled the caller sets it (`llcuda_metrics metrics = {sizeof metrics};`);
 *            the library writes no further, nothing where it is 0, and sets it to the bytes that it knows. In what the
 *            library hands out, as llcuda_step, the library sets it: fields behind it are not there.
 * Text       Is UTF-8 with an explicit length in bytes; no terminating zero is needed in what is handed in.
 */
#ifndef LLCUDA_LLCUDA_H
#define LLCUDA_LLCUDA_H

#include <stddef.h>
#include <stdint.h>

#if defined(LLCUDA_BUILDING_LIBRARY)
#define LLCUDA_API __attribute__((visibility("default")))
#else
#define LLCUDA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LLCUDA_ERROR_BYTES 1020

/** What went wrong, by what the caller can do about it. 1 to 8 are also the exit codes of the tools. */
typedef enum llcuda_status {
  LLCUDA_OK = 0,
  LLCUDA_USAGE = 1,             /**< an argument or option is wrong */
  LLCUDA_BAD_INPUT = 2,         /**< a file is damaged or is not what it claims to be */
  LLCUDA_UNSUPPORTED = 3,       /**< the input is sound, this version does not handle it */
  LLCUDA_SELF_CHECK_FAILED = 4, /**< the engine ran and its values are not the recorded ones */
  LLCUDA_NO_DEVICE = 5,         /**< no GPU that fits the engine */
  LLCUDA_OUT_OF_MEMORY = 6,     /**< host or device memory does not suffice */
  LLCUDA_CANCELLED = 7,         /**< llcuda_session_cancel was called */
  LLCUDA_INTERNAL = 8,          /**< a call of the driver or of the operating system failed */
  LLCUDA_BUSY = 9               /**< a scheduler has too much to do; later it may work */
} llcuda_status;

/** Written by the function that fails. */
typedef struct llcuda_error {
  int32_t status;                   /**< an llcuda_status */
  char message[LLCUDA_ERROR_BYTES]; /**< one sentence, UTF-8, zero-terminated, cut when longer */
} llcuda_error;

/** An engine file, opened and verified. Uses no GPU. */
typedef struct llcuda_engine llcuda_engine;
/** One sequence of tokens on one device: its cache, its position, its buffers. */
typedef struct llcuda_session llcuda_session;

/** Version of the library, "3.0.0". Static storage. */
LLCUDA_API const char* llcuda_version(void);

/** Name of a status, "LLCUDA_BAD_INPUT"; "LLCUDA_?" for another number. Static storage. */
LLCUDA_API const char* llcuda_status_name(int32_t status);

/* ------------------------------------------------------------------------------------------------------- engines */

/** Opens and verifies an engine file but its weights, which a session or a scheduler verifies while it loads them: the
 *  file is read once. It must not change while it is open. An engine holds native code: open only files that you trust.
 *  LLCUDA_BAD_INPUT: missing, damaged or no engine. LLCUDA_UNSUPPORTED: made for another version. */
LLCUDA_API llcuda_status llcuda_engine_open(const char* path, llcuda_engine** engine, llcuda_error* error);

/** When the bytes of an engine file are compared with its hashes: before any of them is used, either way. */
typedef enum llcuda_verify {
  LLCUDA_VERIFY_FULL = 0, /**< all but the weights when it is opened, and these before anything runs */
  LLCUDA_VERIFY_LAZY = 1  /**< of each part when it is used first: a damaged one is LLCUDA_BAD_INPUT of the call that
                           *   uses it, and one that is never used is never read */
} llcuda_verify;

typedef struct llcuda_open_options {
  size_t struct_bytes;
  int32_t verify; /**< an llcuda_verify */
} llcuda_open_options;

/** Default: full. */
LLCUDA_API void llcuda_open_options_init(llcuda_open_options* options);

/** As llcuda_engine_open; `options` may be NULL. */
LLCUDA_API llcuda_status llcuda_engine_open_with(const char* path, const llcuda_open_options* options,
                                                 llcuda_engine** engine, llcuda_error* error);

/** Closes the engine; NULL is ignored. Its sessions stay usable, the file closes with the last of them. */
LLCUDA_API void llcuda_engine_close(llcuda_engine* engine);

/** What an engine says about itself. Strings live as long as the engine. */
typedef struct llcuda_engine_info {
  size_t struct_bytes;      /**< set by the caller */
  const char* architecture; /**< "llama" */
  const char* name;         /**< the model's name, "" when the source had none */
  const char* compiler;     /**< version of the compiler that made it */
  const char* key_type;     /**< encoding of the keys in the cache, "q8_0" */
  const char* value_type;   /**< of the values, "q4_0" */
  uint32_t layers;
  uint32_t embedding;
  uint32_t vocabulary;      /**< token ids are 0 to vocabulary - 1 */
  uint32_t trained_context; /**< positions the model was trained for */
  uint32_t max_context;     /**< positions a session may have */
  uint32_t max_batch;       /**< sequences a device session may decode at once */
  uint32_t has_tokenizer;   /**< 1 when text can be fed, 0 when only token ids can */
  uint32_t has_chat_template;
  uint32_t has_golden;         /**< 1 when llcuda_session_self_check has values to compare with */
  uint64_t weight_bytes;       /**< uploaded to the device once, shared by its sessions */
  uint64_t file_bytes;         /**< of the engine file */
  const char* fingerprint;     /**< 8 hexadecimal digits that differ from engine to engine */
  const char* source;          /**< file name of the model, "" when it is not known */
  const char* vocabulary_kind; /**< "spm", "bpe", "wordpiece", "unigram", "none" */
  uint32_t heads;
  uint32_t kv_heads;
  uint32_t head_size;
  uint32_t feed_forward;
  int32_t bos; /**< tokens that mean something; -1: the model has none */
  int32_t eos;
  int32_t eot;
  int32_t unknown;
  int32_t padding;
  uint32_t add_bos; /**< 1 when LLCUDA_ADD_BOS puts `bos` in front */
  uint32_t encoder; /**< 1 when it makes embeddings of texts (LLCUDA_TASK_EMBED) and nothing else */
} llcuda_engine_info;

LLCUDA_API void llcuda_engine_get_info(const llcuda_engine* engine, llcuda_engine_info* info);

/* ----------------------------------------------------------------------------------------------------------- text */

typedef enum llcuda_tokenize_flags {
  LLCUDA_ADD_BOS = 1,       /**< put the model's first token in front, if the model wants one */
  LLCUDA_PARSE_SPECIAL = 2, /**< text such as "<|im_end|>" becomes the special token of that name */
  LLCUDA_RENDERED_CHAT = 4  /**< the text is what llcuda_render_chat wrote: special tokens count, and the first token
                             *   is put in front unless the template wrote it; other flags are not read */
} llcuda_tokenize_flags;

/** Token ids of `text` (`bytes` bytes). `tokens` has room for `capacity` ids and may be NULL when that is 0. `*count`
 *  is the number of ids of the text, also when it is larger than `capacity`: then LLCUDA_USAGE, and nothing is written
 *  to `tokens`. LLCUDA_UNSUPPORTED: the engine has no tokenizer. */
LLCUDA_API llcuda_status llcuda_tokenize(const llcuda_engine* engine, const char* text, size_t bytes, uint32_t flags,
                                         int32_t* tokens, size_t capacity, size_t* count, llcuda_error* error);

/** Text of `count` tokens, special tokens as their names when `special` is not 0, else left out. The same rules for
 *  `text`, `capacity` and `*bytes`; no terminating zero is written. Bytes that are no UTF-8 become U+FFFD. */
LLCUDA_API llcuda_status llcuda_detokenize(const llcuda_engine* engine, const int32_t* tokens, size_t count,
                                           int32_t special, char* text, size_t capacity, size_t* bytes,
                                           llcuda_error* error);

typedef enum llcuda_piece_flags {
  LLCUDA_PIECE_SPECIAL = 1, /**< a control token, such as the end of a turn */
  LLCUDA_PIECE_PRESENT = 2  /**< the vocabulary has the token */
} llcuda_piece_flags;

/** What one token stands for: flags, and its bytes, which may be a part of a character and so no UTF-8. Without
 *  LLCUDA_PIECE_PRESENT there are none. The bytes live as long as the engine. */
LLCUDA_API int32_t llcuda_token_piece(const llcuda_engine* engine, int32_t token, const char** bytes, size_t* count);

/** The source of a chat template, `*bytes` long; `name` as for llcuda_render_chat_as. NULL: there is none. It lives as
 *  long as the engine, or until the engine gets another one. */
LLCUDA_API const char* llcuda_chat_template(const llcuda_engine* engine, const char* name, size_t* bytes);

/** Gives the engine another plain chat template, in Jinja. Before other threads use it.
 *  LLCUDA_USAGE: it is no template; the sentence says where. */
LLCUDA_API llcuda_status llcuda_engine_set_chat_template(llcuda_engine* engine, const char* source, size_t bytes,
                                                         llcuda_error* error);

/** One turn of a conversation. Strings are zero-terminated; llcuda_turn takes lengths. */
typedef struct llcuda_message {
  const char* role; /**< "system", "user" or "assistant" */
  const char* content;
} llcuda_message;

/** The conversation as the model's chat template writes it; `open_reply` not 0 opens the assistant's turn at the end.
 *  To be tokenized with LLCUDA_RENDERED_CHAT. The same rules for `text`, `capacity` and `*bytes`.
 *  LLCUDA_UNSUPPORTED: no template, or it refuses the turns. */
LLCUDA_API llcuda_status llcuda_render_chat(const llcuda_engine* engine, const llcuda_message* messages, size_t count,
                                            int32_t open_reply, char* text, size_t capacity, size_t* bytes,
                                            llcuda_error* error);

/** As llcuda_render_chat, by one of the templates that the model has besides, such as "tool_use"; NULL and "" name the
 *  plain one. LLCUDA_USAGE: the model has no template of this name. */
LLCUDA_API llcuda_status llcuda_render_chat_as(const llcuda_engine* engine, const char* template_name,
                                               const llcuda_message* messages, size_t count, int32_t open_reply,
                                               char* text, size_t capacity, size_t* bytes, llcuda_error* error);

/** One turn of a conversation, with lengths: a zero byte is a letter as any other. Null with a length of 0 is empty. */
typedef struct llcuda_turn {
  const char* role;
  size_t role_bytes;
  const char* content;
  size_t content_bytes;
} llcuda_turn;

/** As llcuda_render_chat_as, for turns with lengths. */
LLCUDA_API llcuda_status llcuda_render_turns(const llcuda_engine* engine, const char* template_name,
                                             const llcuda_turn* turns, size_t count, int32_t open_reply, char* text,
                                             size_t capacity, size_t* bytes, llcuda_error* error);

/** As llcuda_render_chat_as, with everything that the template may ask for: `variables` is a JSON object of
 *  `variable_bytes` bytes with `messages`, and `tools`, `documents`, `enable_thinking` and the like where wanted.
 *  `add_generation_prompt` is true and the special tokens are the model's where it does not say them. LLCUDA_USAGE: it is
 *  no JSON object. */
LLCUDA_API llcuda_status llcuda_render_chat_json(const llcuda_engine* engine, const char* template_name,
                                                 const char* variables, size_t variable_bytes, char* text,
                                                 size_t capacity, size_t* bytes, llcuda_error* error);

/** 1 when generation stops at this token, else 0. */
LLCUDA_API int32_t llcuda_is_stop_token(const llcuda_engine* engine, int32_t token);

/* ------------------------------------------------------------------------------------------------------- grammars */

/** What an answer has to look like: docs/grammars.md. */
typedef struct llcuda_grammar llcuda_grammar;

typedef enum llcuda_grammar_kind {
  LLCUDA_GRAMMAR_JSON_SCHEMA = 1, /**< JSON that a schema allows */
  LLCUDA_GRAMMAR_JSON_OBJECT = 2, /**< any JSON object; the text is not read */
  LLCUDA_GRAMMAR_REGEX = 3,       /**< the whole answer matches it */
  LLCUDA_GRAMMAR_LARK = 4,
  LLCUDA_GRAMMAR_GBNF = 5 /**< llama.cpp's */
} llcuda_grammar_kind;

/** Reads a grammar, which may come from anywhere: it takes 5 seconds and 512 MiB at most. Needs no device. Reads a text
 *  that it has seen before from memory. The engine may be closed before the grammar is destroyed.
 *  LLCUDA_USAGE: it is no such grammar, or it takes too much; the sentence says where, for a schema by a JSON pointer.
 *  LLCUDA_UNSUPPORTED: the engine has no tokenizer. */
LLCUDA_API llcuda_status llcuda_grammar_create(const llcuda_engine* engine, int32_t kind, const char* text,
                                               size_t bytes, llcuda_grammar** grammar, llcuda_error* error);

/** Destroys the grammar; NULL is ignored. Requests that use it go on. */
LLCUDA_API void llcuda_grammar_destroy(llcuda_grammar* grammar);

/* ------------------------------------------------------------------------------------------------------- sampling */

/** Added to the logit of a token before anything else is done. */
typedef struct llcuda_logit_bias {
  int32_t token;
  float bias; /**< finite, or -INFINITY: the token is never chosen */
} llcuda_logit_bias;

/** How a row of logits becomes a token: a chain of stages with llama.cpp's names, letters and defaults. What each of
 *  them does stands in docs/sampling.md. It is checked when it is used. LLCUDA_USAGE: a value out of range; the sentence
 *  names the field and the range. LLCUDA_UNSUPPORTED: sequence breakers of dry, and the engine has no tokenizer. */
typedef struct llcuda_sampler {
  size_t struct_bytes;
  const char* stages;      /**< up to 12 letters, applied in this order, each as often as it stands there: e penalties,
                            *   d dry, s top_n_sigma, k top_k, y typ_p, p top_p, m min_p, x xtc, t temperature,
                            *   a adaptive_p. What is not named is not applied. NULL: "edskypmxt" */
  float temperature;       /**< up to 1e6; <= 0: the most likely token of those that are left */
  float dynatemp_range;    /**< at least 0; above it the temperature follows the entropy, this far in both directions */
  float dynatemp_exponent; /**< at least 0 */
  int32_t top_k;           /**< <= 0: all */
  float top_p;             /**< above 0, up to 1 */
  float min_p;             /**< 0 to 1 */
  float typical_p;         /**< above 0, up to 1 */
  float top_n_sigma;       /**< <= 0: all */
  float xtc_probability;   /**< 0 to 1 */
  float xtc_threshold;     /**< 0 to 1; above 0.5: off */
  int32_t repeat_last_n;   /**< tokens that penalties look back; 0: off, -1: all */
  float repeat_penalty;    /**< above 0; 1: off */
  float frequency_penalty;
  float presence_penalty;
  float dry_multiplier; /**< at least 0; 0: off */
  float dry_base;       /**< below 1: off */
  int32_t dry_allowed_length;
  int32_t dry_penalty_last_n;               /**< tokens that dry looks back; 0: off, -1: all */
  const char* const* dry_sequence_breakers; /**< strings that a repetition does not reach across; NULL: none */
  const size_t* dry_sequence_breaker_bytes; /**< of each; NULL: they are zero-terminated */
  size_t dry_sequence_breaker_count;        /**< up to 64 */
  int32_t mirostat;                         /**< 1 or 2: temperature and mirostat in place of the stages; 0: off */
  float mirostat_tau;                       /**< at least 0: the surprise that is aimed at, in bits */
  float mirostat_eta;                       /**< at least 0: how fast it learns */
  float adaptive_target;                    /**< up to 1; < 0: off. Read where `stages` has an `a` */
  float adaptive_decay;                     /**< 0 to 0.99 */
  uint32_t min_keep;  /**< tokens that every filter leaves at least, where it has so many; one is left always */
  uint64_t seed;      /**< the same seed, tokens and engine give the same tokens on one device, whoever else runs */
  int32_t has_seed;   /**< 0: a random one, which is reported in llcuda_metrics and with LLCUDA_EVENT_STARTED */
  int32_t ignore_eos; /**< not 0: tokens that end a text are never chosen */
  const llcuda_logit_bias* logit_bias;
  size_t logit_bias_count; /**< up to 1,024; of two for one token both are added */
} llcuda_sampler;

/** llama.cpp's defaults: temperature 0.8, top_k 40, top_p 0.95, min_p 0.05, a random seed; the other stages are off. */
LLCUDA_API void llcuda_sampler_init(llcuda_sampler* sampler);

/** The same, and over it what the model's files say: GGUF's general.sampling.*, or generation_config.json. Its strings
 *  live as long as the engine. LLCUDA_USAGE: struct_bytes of `sampler` is not set. */
LLCUDA_API llcuda_status llcuda_engine_default_sampler(const llcuda_engine* engine, llcuda_sampler* sampler,
                                                       llcuda_error* error);

/* ------------------------------------------------------------------------------------------------------- sessions */

typedef enum llcuda_device {
  LLCUDA_DEVICE_AUTO = 0, /**< a GPU, else the host with a warning if the engine has host images */
  LLCUDA_DEVICE_CUDA = 1,
  LLCUDA_DEVICE_HOST = 2 /**< the CPU; needs an engine with host images */
} llcuda_device;

typedef enum llcuda_log_level { LLCUDA_LOG_INFO = 0, LLCUDA_LOG_WARNING = 1 } llcuda_log_level;

/** Gets one line without newline, on the thread that called the library. */
typedef void (*llcuda_log_callback)(int32_t level, const char* line, void* user);

typedef struct llcuda_session_options {
  size_t struct_bytes;
  int32_t device;          /**< an llcuda_device */
  int32_t device_index;    /**< which GPU, as CUDA numbers them */
  uint32_t context;        /**< positions, 1 to max_context; 0: max_context */
  int32_t guard;           /**< not 0: every buffer an allocation of its own, for memory checkers */
  llcuda_log_callback log; /**< may be NULL: nothing is said */
  void* log_user;
  const char*
      weights_from;    /**< for an engine that leaves its weights in the model's files: the file, or the folder that
                             *   has them; NULL: where the compiler found them, else beside the engine */
  int32_t no_graphs;   /**< not 0: kernels are launched one by one instead of as a graph, to measure the difference */
  int32_t profile;     /**< not 0: every kernel is timed, which slows the session down: llcuda_session_get_profile */
  int32_t all_kernels; /**< not 0: it is there when every kernel is loaded, so that none loads beside what is measured;
                        *   0: when those of a decode step are, the others follow meanwhile */
} llcuda_session_options;

/** Defaults: auto, GPU 0, max_context, no guard, no log, weights where they were, graphs, no profile, kernels that follow. */
LLCUDA_API void llcuda_session_options_init(llcuda_session_options* options);

/** Creates a session; `options` may be NULL. The first session on a device uploads the weights, later ones of the same
 *  engine share them. Memory is counted before it is allocated.
 *  LLCUDA_NO_DEVICE: no GPU that fits. LLCUDA_OUT_OF_MEMORY: says the bytes and what would fit.
 *  LLCUDA_BAD_INPUT: the files that hold the weights are missing or were changed. */
LLCUDA_API llcuda_status llcuda_session_create(llcuda_engine* engine, const llcuda_session_options* options,
                                               llcuda_session** session, llcuda_error* error);

/** Destroys the session; NULL is ignored. */
LLCUDA_API void llcuda_session_destroy(llcuda_session* session);

/** Where a session runs, and the exact bytes of device memory that it asked for. Strings live as long as it. */
typedef struct llcuda_session_info {
  size_t struct_bytes;   /**< set by the caller */
  const char* device;    /**< the driver's name of the device */
  int32_t compute_major; /**< compute capability; 0.0 is the host */
  int32_t compute_minor;
  int32_t on_host;       /**< 1 for the host, 0 for a GPU */
  uint32_t context;      /**< positions */
  uint32_t decode_nodes; /**< kernel launches in the graph of a decode step */
  uint64_t weight_bytes; /**< with the constants; shared with other sessions */
  uint64_t arena_bytes;
  uint64_t kv_bytes;
  uint64_t io_bytes; /**< with the counters */
  /** What the start took, each in nanoseconds of the steady clock: opening and checking the file; the driver and its
   *  context; reading, checking and uploading the weights, beside which kernels begin to load; buffers and the graph of a
   *  decode step, with its kernels. The second and third are those of the first session on the device. */
  uint64_t open_ns;
  uint64_t device_ns;
  uint64_t weights_ns;
  uint64_t session_ns;
} llcuda_session_info;

LLCUDA_API void llcuda_session_get_info(const llcuda_session* session, llcuda_session_info* info);

/** The tokens of the session's sequence so far: `*tokens` points to them until the next call that changes it. */
LLCUDA_API size_t llcuda_session_tokens(const llcuda_session* session, const int32_t** tokens);

/** Forgets all but the first `count` tokens. LLCUDA_USAGE: there are fewer. */
LLCUDA_API llcuda_status llcuda_session_rewind(llcuda_session* session, size_t count, llcuda_error* error);

/** Appends `count` tokens and computes their cache, without asking for a next one. The last one is computed when a
 *  later call goes on from it.
 *  LLCUDA_USAGE: an id outside the vocabulary, or more positions than the session has. */
LLCUDA_API llcuda_status llcuda_session_feed(llcuda_session* session, const int32_t* tokens, size_t count,
                                             llcuda_error* error);

/** A token and its natural log-probability under the model: softmax of the plain logits, before any filter. */
typedef struct llcuda_candidate {
  int32_t token;
  float log_probability;
} llcuda_candidate;

/** One generated token. Pointers are valid during the callback. */
typedef struct llcuda_step {
  size_t struct_bytes; /**< set by the library */
  int32_t token;       /**< what the model chose; -1 in a last call that only brings held back text */
  uint32_t index;      /**< 0 for the first token of this call */
  const char* text;    /**< text that became whole with this token, `text_bytes` bytes of UTF-8; may be empty */
  size_t text_bytes;
  int32_t stops;               /**< 1 when the token is a stop token; it has no text */
  uint32_t top_count;          /**< entries of `top`: the `logprobs` asked for, at most the vocabulary; else 0 */
  const llcuda_candidate* top; /**< the most likely tokens, best first; ties: lowest id first */
  float log_probability;       /**< of `token`, when `logprobs` or forced tokens were asked for; else 0 */
  int32_t forced;              /**< the token that took its place, -1 for none */
  float forced_log_probability;
} llcuda_step;

/** Called on the thread that called generate, once a token. Another value than 0 ends the generation. It may call
 *  llcuda_session_cancel, and no other function on the same session. */
typedef int32_t (*llcuda_step_callback)(const llcuda_step* step, void* user);

typedef struct llcuda_generate_options {
  size_t struct_bytes;
  int32_t max_tokens;            /**< tokens to generate; -1: until a stop token or the end of the context */
  const llcuda_sampler* sampler; /**< NULL: that of llcuda_engine_default_sampler */
  int32_t ignore_stop;           /**< not 0: stop tokens do not stop */
  uint32_t logprobs;             /**< most likely tokens to report for each step */
  const int32_t* forced;         /**< continuation to step through instead of what the model chooses; NULL: none */
  size_t forced_count;  /**< with forced tokens: the number of steps; max_tokens is not read, nothing else stops */
  int32_t special_text; /**< not 0: special tokens appear in the text by name */
  llcuda_step_callback callback; /**< may be NULL */
  void* user;
} llcuda_generate_options;

/** No sampler of its own, -1 tokens. */
LLCUDA_API void llcuda_generate_options_init(llcuda_generate_options* options);

typedef enum llcuda_stop_reason {
  LLCUDA_STOP_NONE = 0,     /**< an error or a cancel ended it */
  LLCUDA_STOP_TOKEN = 1,    /**< a stop token */
  LLCUDA_STOP_LENGTH = 2,   /**< max_tokens */
  LLCUDA_STOP_CONTEXT = 3,  /**< no position left */
  LLCUDA_STOP_CALLBACK = 4, /**< the callback asked for it */
  LLCUDA_STOP_FORCED = 5,   /**< the forced tokens ended */
  LLCUDA_STOP_STRING = 6    /**< a stop string of a scheduler's request */
} llcuda_stop_reason;

/** Counts and times of one call, in nanoseconds of the steady clock. */
typedef struct llcuda_metrics {
  size_t struct_bytes;       /**< set by the caller */
  uint64_t prompt_tokens;    /**< computed by this call; tokens that were in the cache are not counted */
  uint64_t generated_tokens; /**< reported to the callback, a stop token among them */
  uint64_t decode_steps;     /**< generated tokens after the first */
  uint64_t first_token_ns;   /**< from the call's tokens to the first token on the host; 0: there was none */
  uint64_t prompt_ns;        /**< of the prompt's chunks */
  uint64_t decode_ns;        /**< of the decode steps: from the first token to the last */
  int32_t stop_reason;       /**< an llcuda_stop_reason */
  uint64_t seed;             /**< that the sampler had */
} llcuda_metrics;

/** Appends `count` tokens (0 is allowed once the session has tokens), computes them, and generates. `options` and
 *  `metrics` may be NULL. What was generated becomes part of the sequence, forced tokens in place of chosen ones.
 *  Also on LLCUDA_CANCELLED `metrics` is written and the session stays usable. After LLCUDA_INTERNAL it is not: every
 *  call but destroy gives the same error again. */
LLCUDA_API llcuda_status llcuda_session_generate(llcuda_session* session, const int32_t* tokens, size_t count,
                                                 const llcuda_generate_options* options, llcuda_metrics* metrics,
                                                 llcuda_error* error);

/** The same for text: tokenized with LLCUDA_PARSE_SPECIAL and, at the start of a sequence, LLCUDA_ADD_BOS. */
LLCUDA_API llcuda_status llcuda_session_generate_text(llcuda_session* session, const char* text, size_t bytes,
                                                      const llcuda_generate_options* options, llcuda_metrics* metrics,
                                                      llcuda_error* error);

/** Makes the generate or feed that runs on another thread, or around the callback, return LLCUDA_CANCELLED within one
 *  step. Does nothing when none runs. */
LLCUDA_API void llcuda_session_cancel(llcuda_session* session);

/** Metrics of the last generate that ended; zeros before the first. */
LLCUDA_API void llcuda_session_get_metrics(const llcuda_session* session, llcuda_metrics* metrics);

/** What one kernel took, in all launches of one phase. Strings live as long as the engine. */
typedef struct llcuda_kernel_profile {
  const char* phase; /**< "decode" or "prompt" */
  uint32_t rows;     /**< of the phase */
  const char* kernel;
  uint64_t launches;
  uint64_t ns;    /**< on the device, between events around each launch */
  uint64_t bytes; /**< of weights, activations and cache that it moves, as the compiler counted them */
} llcuda_kernel_profile;

/** Of the session's work so far. */
typedef struct llcuda_profile {
  double copy_bytes_per_second; /**< of a copy on the device, read and written bytes together, measured at the start */
  size_t count;
  const llcuda_kernel_profile* kernels; /**< what took longest first; until the next call on the session */
} llcuda_profile;

/** LLCUDA_USAGE: the session was created without `profile`. */
LLCUDA_API llcuda_status llcuda_session_get_profile(llcuda_session* session, llcuda_profile* profile,
                                                    llcuda_error* error);

/** How the engine's values compare with those that its compiler recorded. */
typedef struct llcuda_self_check {
  uint32_t positions;          /**< compared */
  uint32_t different;          /**< positions where another token is best */
  uint32_t decisive_different; /**< of these, where the recorded best leads by 1 or more */
  float mean_error;            /**< mean |difference| of the recorded tokens' log-probabilities */
  float max_error;
  uint32_t texts;           /**< tokenized */
  uint32_t different_texts; /**< with other ids than the recorded ones */
} llcuda_self_check;

/** Tokenizes the recorded texts and runs the recorded tokens through the engine. Forgets the session's sequence.
 *  `report` (may be NULL) is written also on LLCUDA_SELF_CHECK_FAILED: another id, a decisive difference, or a mean error
 *  above 0.1.
 *  LLCUDA_UNSUPPORTED: the engine has no recorded values. */
LLCUDA_API llcuda_status llcuda_session_self_check(llcuda_session* session, llcuda_self_check* report,
                                                   llcuda_error* error);

/* ------------------------------------------------------------------------------------------------------ schedulers */

/** One engine on one device, many requests: they share its steps, and each gets the tokens that it would get alone (an
 *  engine compiled with --batch-invariant: to the bit). All functions but create and destroy may be called from any
 *  thread at any time; a thread of the scheduler's own does the work, and nothing of the caller's is called back. */
typedef struct llcuda_scheduler llcuda_scheduler;

/** How tokens are guessed ahead. What the model does not say itself is thrown away: the text is the same. */
typedef enum llcuda_speculation {
  LLCUDA_SPECULATION_NONE = 0,
  LLCUDA_SPECULATION_NGRAM = 1 /**< what followed when the last tokens stood in the prompt or the answer before */
} llcuda_speculation;

typedef struct llcuda_scheduler_options {
  size_t struct_bytes;
  int32_t device;            /**< an llcuda_device */
  int32_t device_index;      /**< which GPU, as CUDA numbers them */
  uint32_t context;          /**< positions of a request at most, 1 to max_context; 0: max_context */
  uint32_t slots;            /**< requests that run at a time, 1 to max_batch; 0: max_batch */
  uint64_t cache_bytes;      /**< of keys and values on the device at most; 0: what is free, less 256 MiB */
  uint64_t host_cache_bytes; /**< in host memory, of requests that make room for others (what does not fit there is
                               *   computed again when they come back) and, as far as they leave room, of prefixes */
  uint32_t queue;            /**< requests that may wait beside those that run */
  float step_target_ms;      /**< the longest step while requests generate: how much of a prompt fits beside them;
                               *   0: 2.5 to 2.9 times a decode step of all that run */
  int32_t no_graphs;         /**< as in llcuda_session_options */
  const char* weights_from;  /**< as in llcuda_session_options */
  llcuda_log_callback log;   /**< called by llcuda_scheduler_create alone; may be NULL */
  void* log_user;
  int32_t prefix_cache; /**< not 0: a prompt begins with what requests before it have computed for the same tokens, in
                          *   whole pages. Not with models that have recurrent states */
  int32_t fair;         /**< not 0: requests of one priority take turns by their fair_key, so that each key has the same
                          *   share of tokens */
  uint32_t mask_workers; /**< threads that make the masks of grammars; 0: min(4, processors - 1) */
  int32_t speculation;   /**< an llcuda_speculation: a step checks guessed tokens beside the next one, as many as steps
                          *   and guesses were measured to be worth, and none where that would be slower. Not with
                          *   engines for one sequence or with recurrent states. Requests with a grammar, mirostat or
                          *   adaptive_p are not guessed */
  uint32_t draft_max;    /**< tokens that are guessed for a request at a time at most, up to 63; 0: 15 */
  uint32_t draft_min;    /**< fewer than so many are not guessed */
  uint32_t ngram_size;   /**< tokens that have to have stood there before, 1 to 64; 0: 3 */
  float draft_p_min;     /**< of draft_engine: a token that it finds less likely is no guess; 0 to 1 */
  /** An engine of a smaller model with the same vocabulary, which guesses too: of a request whose n-grams say nothing
   *  likelier. It follows as many requests at a time as it decodes, in a cache beside the scheduler's, for as many
   *  positions. LLCUDA_UNSUPPORTED: it decodes one row, has recurrent states, or another vocabulary. May be NULL; may be
   *  destroyed before the scheduler. */
  llcuda_engine* draft_engine;
} llcuda_scheduler_options;

/** Defaults: auto, GPU 0, max_context, max_batch, all that is free, 1 GiB in host memory, 256 may wait, prefixes are
 *  kept, no shares. */
LLCUDA_API void llcuda_scheduler_options_init(llcuda_scheduler_options* options);

/** Creates a scheduler; `options` may be NULL. Captures all graphs and, on a GPU, runs each phase once to learn what it
 *  takes. Shares weights and errors with llcuda_session_create. */
LLCUDA_API llcuda_status llcuda_scheduler_create(llcuda_engine* engine, const llcuda_scheduler_options* options,
                                                 llcuda_scheduler** scheduler, llcuda_error* error);

/** Destroys the scheduler; NULL is ignored. Requests that have not ended get no more events. No other call on it may
 *  run. */
LLCUDA_API void llcuda_scheduler_destroy(llcuda_scheduler* scheduler);

typedef enum llcuda_task {
  LLCUDA_TASK_GENERATE = 0,
  LLCUDA_TASK_EMBED = 1 /**< one row of numbers that stands for the prompt; nothing is generated */
} llcuda_task;

/** Which of the prompt's rows, as the model's last norm leaves them, become its embedding. */
typedef enum llcuda_pooling {
  LLCUDA_POOLING_DEFAULT = 0, /**< as the model says; where it says nothing, their mean */
  LLCUDA_POOLING_MEAN = 1,
  LLCUDA_POOLING_LAST = 2,
  LLCUDA_POOLING_CLS = 3 /**< the first one */
} llcuda_pooling;

/** What is to be continued, and how. Nothing is needed after the call that submits it. */
typedef struct llcuda_request {
  size_t struct_bytes;
  const int32_t* tokens;         /**< the prompt */
  size_t count;                  /**< at least 1 */
  int32_t max_tokens;            /**< tokens to generate; -1: until it stops or the context ends */
  const llcuda_sampler* sampler; /**< NULL: that of llcuda_engine_default_sampler */
  const char* const* stop;       /**< strings that end the answer and are not part of its text; NULL: none */
  const size_t* stop_bytes;      /**< of each; NULL: they are zero-terminated */
  size_t stop_count;
  int32_t logprobs;        /**< most likely tokens to report beside the log-probability of each token; -1: neither */
  int32_t ignore_stop;     /**< not 0: stop tokens do not stop */
  int32_t special_text;    /**< not 0: special tokens appear in the text by name */
  int32_t priority;        /**< who has a higher one goes first, and is the last to make room for others */
  void* user;              /**< comes back with each event */
  uint64_t cache_salt;     /**< requests with different ones share no prefixes */
  int32_t no_prefix_cache; /**< not 0: it neither begins with what others computed nor leaves them anything */
  const char* fair_key;    /**< whose share it counts for, `fair_key_bytes` bytes; NULL: the share of all without one */
  size_t fair_key_bytes;
  int32_t prompt_logprobs;       /**< as logprobs, for the prompt's tokens from the second on; up to 20 */
  int32_t task;                  /**< an llcuda_task */
  int32_t pooling;               /**< of LLCUDA_TASK_EMBED: an llcuda_pooling */
  const llcuda_grammar* grammar; /**< of the answer, made by the scheduler's engine; NULL: none. When it has ended,
                                        *   a stop token ends the answer, with ignore_stop too */
  const char* const* grammar_triggers; /**< the grammar begins at the end of the first of these strings in the answer,
                                        *   in which special tokens stand by name; NULL: at the start */
  const size_t* grammar_trigger_bytes; /**< of each; NULL: they are zero-terminated */
  size_t grammar_trigger_count;
  int32_t post_sampling_probs; /**< not 0: `logprobs`, up to 20, reports of the candidates that the sampler's stages
                                 *   left, and how likely they were among these: what cannot be drawn is not there */
  int32_t reasoning_budget; /**< tokens of reasoning at most; then reasoning_message and reasoning_end come in place of
                              *   what the model would say. Counts in the first reasoning of the answer, and not where
                              *   a grammar says what may come. -1: any number */
  const char* reasoning_start;   /**< with a budget: reasoning begins behind this text, in which special tokens stand by
                                   *   name; NULL: with the answer. Zero-terminated, as those that follow */
  const char* reasoning_end;     /**< with a budget: the text that ends it, such as "</think>" */
  const char* reasoning_message; /**< text in front of it where the budget was spent; NULL: none */
} llcuda_request;

/** No sampler of its own, -1 tokens, no log-probabilities, priority 0, to generate. */
LLCUDA_API void llcuda_request_init(llcuda_request* request);

/** Takes a request and gives it a number, from 1 on. Never waits for the device.
 *  LLCUDA_USAGE: no tokens, an id outside the vocabulary, a prompt longer than the context (the sentence has both
 *  numbers), a value out of range. LLCUDA_UNSUPPORTED: stop strings or a grammar, and the engine has no tokenizer. LLCUDA_BUSY: as many
 *  as may wait do, or the scheduler is being drained. */
LLCUDA_API llcuda_status llcuda_scheduler_submit(llcuda_scheduler* scheduler, const llcuda_request* request,
                                                 uint64_t* number, llcuda_error* error);

/** Ends a request within one step, wherever it is: its last event is LLCUDA_EVENT_FAILED with LLCUDA_CANCELLED. Nothing
 *  when it has ended. */
LLCUDA_API void llcuda_scheduler_cancel(llcuda_scheduler* scheduler, uint64_t number);

/** For a client that reads too slowly: with `on` not 0 a request generates nothing more from within a step on, until
 *  it is called with 0. Tokens that are on their way still come. What it holds stays, and is the first to make room for
 *  others; its text is the same. Nothing when it has ended. */
LLCUDA_API void llcuda_scheduler_hold(llcuda_scheduler* scheduler, uint64_t number, int32_t on);

typedef enum llcuda_event_kind {
  LLCUDA_EVENT_STARTED = 1,  /**< it runs; `seed`, `cached_tokens` */
  LLCUDA_EVENT_PROGRESS = 2, /**< `computed` of `total` tokens of its prompt are queued; not for the last part */
  LLCUDA_EVENT_TOKEN = 3,    /**< `token`, `index`, `stops`, `text`, and where asked for `log_probability` and `top` */
  LLCUDA_EVENT_DONE = 4,     /**< the last one: `stop_reason`, `stop_string`, counts and times */
  LLCUDA_EVENT_FAILED = 5,   /**< the last one: `status`, `message`, counts and times */
  LLCUDA_EVENT_PROMPT_TOKEN =
      6,                     /**< where prompt_logprobs asks for it, in front of the first LLCUDA_EVENT_TOKEN: a token
                                  *   of the prompt with its `index` there, from 1 on, `log_probability` and `top` */
  LLCUDA_EVENT_EMBEDDING = 7 /**< `values`; then LLCUDA_EVENT_DONE with LLCUDA_STOP_LENGTH */
} llcuda_event_kind;

/** Fields that the kind does not name are 0. */
typedef struct llcuda_event {
  size_t struct_bytes; /**< of the first event of an array set by the caller: the size of each; then by the library */
  uint64_t request;    /**< its number */
  void* user;
  int32_t kind;  /**< an llcuda_event_kind */
  uint64_t seed; /**< that the sampler has */
  uint32_t computed;
  uint32_t total;
  int32_t token;    /**< -1 in an event that only brings held back text */
  uint32_t index;   /**< 0 for the first token */
  int32_t stops;    /**< 1 when the token is a stop token; it has no text */
  const char* text; /**< what became certain with this token, `text_bytes` bytes of UTF-8; may be empty */
  size_t text_bytes;
  float log_probability;
  uint32_t top_count;
  const llcuda_candidate* top; /**< the most likely tokens, best first; ties: lowest id first */
  const float* values;         /**< of length 1 by their squares' sum, or all 0 */
  size_t value_count;          /**< as many as the model's rows have */
  int32_t stop_reason;         /**< an llcuda_stop_reason */
  int32_t stop_string;         /**< index of the stop string with LLCUDA_STOP_STRING, else -1 */
  int32_t status;              /**< an llcuda_status */
  const char* message;         /**< one sentence, zero-terminated */
  uint64_t prompt_tokens;
  uint64_t generated_tokens;
  uint64_t pauses;                /**< times that it made room for others */
  uint64_t wait_ns;               /**< until it ran */
  uint64_t first_token_ns;        /**< from its arrival to its first token; 0: there was none */
  uint64_t total_ns;              /**< until it ended */
  uint64_t cached_tokens;         /**< of prompt_tokens, which others had computed */
  uint64_t draft_tokens;          /**< that were guessed */
  uint64_t accepted_draft_tokens; /**< of those, and of generated_tokens */
} llcuda_event;

/** Moves up to `capacity` events, in their order, into the array of which the first one's struct_bytes is set, and says
 *  how many. Waits for the first of them: 0 not at all, negative as long as it takes. Pointers live until this thread's
 *  next call of this function, or its end. */
LLCUDA_API size_t llcuda_scheduler_poll(llcuda_scheduler* scheduler, llcuda_event* events, size_t capacity,
                                        int32_t timeout_ms);

/** A descriptor that is readable while events wait: for poll, epoll and the loops around them. It belongs to the
 *  scheduler; only llcuda_scheduler_poll reads it. */
LLCUDA_API int llcuda_scheduler_fd(const llcuda_scheduler* scheduler);

/** Where things stand, and what was done so far. Up to one step old, but a request whose last event was polled has ended
 *  here too. */
typedef struct llcuda_scheduler_stats {
  size_t struct_bytes; /**< set by the caller */
  uint32_t slots;
  uint32_t context;
  uint32_t waiting; /**< requests */
  uint32_t prompts;
  uint32_t generating;
  uint32_t paused;
  uint32_t pages; /**< of keys and values on the device, of all windows together */
  uint32_t free_pages;
  uint64_t host_bytes; /**< in host memory, of paused requests */
  uint64_t steps;
  uint64_t prompt_runs;   /**< each of a part of one prompt or several */
  uint64_t prompt_tokens; /**< computed */
  uint64_t generated_tokens;
  uint64_t rows; /**< of all decode steps together, one for each request in a step */
  uint64_t pauses;
  uint64_t recomputed; /**< pauses after which a request is computed again */
  uint64_t done;       /**< requests */
  uint64_t failed;
  uint64_t cancelled;
  uint64_t busy_ns;       /**< of the device in phases */
  uint64_t idle_ns;       /**< between them, while there was something to do */
  uint32_t cached_pages;  /**< of prefixes that nobody uses; they are free as soon as they are needed */
  uint32_t host_pages;    /**< of prefixes in host memory */
  uint64_t cached_tokens; /**< of prompts, which had been computed for others */
  uint64_t held_rows;     /**< of decode steps, that were not sampled since their mask was late */
  uint64_t mask_ns;       /**< of the threads that make masks, together */
  uint64_t host_stall_ns; /**< of the device in a step, while masks were waited for */
  uint64_t drafts;        /**< times that tokens were guessed for a request */
  uint64_t draft_tokens;  /**< that were guessed; they are not among `rows` */
  uint64_t accepted_draft_tokens;
  uint64_t nan_rows; /**< requests that failed since their logits were no numbers */
} llcuda_scheduler_stats;

LLCUDA_API void llcuda_scheduler_get_stats(const llcuda_scheduler* scheduler, llcuda_scheduler_stats* stats);

/** Accepts no more requests and waits until all have ended; their events can still be read. After the timeout what is
 *  left is cancelled: LLCUDA_CANCELLED. Negative: as long as it takes. */
LLCUDA_API llcuda_status llcuda_scheduler_drain(llcuda_scheduler* scheduler, int32_t timeout_ms, llcuda_error* error);

/* -------------------------------------------------------------------------------------------------- 4-bit weights */

/** `count` values as the NF4 of bitsandbytes: `codes` gets (count + 1) / 2 bytes, the first of two values in the high
 *  half, and `absmax` the largest magnitude of each block of `block` values, the last of which may be shorter. A value is
 *  about llcuda_nf4_values()[code] * absmax. Both are bit by bit those that bitsandbytes makes on a processor.
 *  LLCUDA_USAGE: `block` is not a power of two from 32 to 4096. LLCUDA_BAD_INPUT: a value is infinite or no number. */
LLCUDA_API llcuda_status llcuda_quantize_nf4(const float* values, size_t count, size_t block, uint8_t* codes,
                                             float* absmax, llcuda_error* error);

/** The same in the dynamic map of 8 bits that bitsandbytes keeps the `absmax` of 4-bit blocks in: a byte for each value,
 *  which is about llcuda_dynamic8_values()[code] * absmax. */
LLCUDA_API llcuda_status llcuda_quantize_dynamic8(const float* values, size_t count, size_t block, uint8_t* codes,
                                                  float* absmax, llcuda_error* error);

/** The 16 values of NF4's codes, and the 256 of the dynamic map's. Static storage. */
LLCUDA_API const float* llcuda_nf4_values(void);
LLCUDA_API const float* llcuda_dynamic8_values(void);

/* ------------------------------------------------------------------------------------------ what there is to run on */

/** What an engine is, as a JSON object: `model`, `compiler` with the version and flags that made it, `max_context`,
 *  `max_batch`, `kv_type`, `sampling`, `text`, `targets` and others, and `memory`, the bytes
 *  that `slots` sequences of `context` positions take on a device; 0: as many as the engine was compiled for. The same
 *  rules for `text`, `capacity` and `*bytes` as of llcuda_detokenize.
 *  LLCUDA_USAGE: more positions or sequences than the engine has. */
LLCUDA_API llcuda_status llcuda_engine_describe(const llcuda_engine* engine, uint32_t context, uint32_t slots,
                                                char* text, size_t capacity, size_t* bytes, llcuda_error* error);

#define LLCUDA_DEVICE_NAME_BYTES 256

/** A device that engines can run on. */
typedef struct llcuda_device_info {
  size_t struct_bytes; /**< of the first of an array set by the caller: the size of each; then by the library */
  int32_t device;      /**< LLCUDA_DEVICE_CUDA or LLCUDA_DEVICE_HOST */
  int32_t index;       /**< as CUDA numbers them */
  char name[LLCUDA_DEVICE_NAME_BYTES]; /**< the driver's, UTF-8, zero-terminated */
  int32_t compute_major;               /**< compute capability; 0.0 is the host */
  int32_t compute_minor;
  uint32_t multiprocessors;
  int32_t driver_version; /**< 12040 for CUDA 12.4; 0 of the host */
  uint64_t total_bytes;   /**< of memory */
} llcuda_device_info;

/** The GPUs of this machine, and the host behind them: `*count` is their number, also when it is larger than
 *  `capacity`: then LLCUDA_USAGE, and nothing is written. `devices` may be NULL when `capacity` is 0. Makes no context on
 *  any device. A machine without a driver has no GPUs, which is no error. */
LLCUDA_API llcuda_status llcuda_devices(llcuda_device_info* devices, size_t capacity, size_t* count,
                                        llcuda_error* error);

#ifdef __cplusplus
}
#endif

#endif
