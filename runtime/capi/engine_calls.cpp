// SPDX-License-Identifier: Apache-2.0
// llcuda_engine_*, llcuda_grammar_*, and the text functions.
#include <algorithm>
#include <string_view>

#include "runtime/capi/boundary.h"
#include "runtime/capi/engine_state.h"

using namespace llcuda;
using namespace llcuda::capi;

namespace {

const char* textOf(const flatbuffers::String* string) {
  return string ? string->c_str() : "";
}

static_assert(static_cast<int>(text::GrammarKind::kJsonSchema) == LLCUDA_GRAMMAR_JSON_SCHEMA &&
              static_cast<int>(text::GrammarKind::kJsonObject) == LLCUDA_GRAMMAR_JSON_OBJECT &&
              static_cast<int>(text::GrammarKind::kRegex) == LLCUDA_GRAMMAR_REGEX &&
              static_cast<int>(text::GrammarKind::kLark) == LLCUDA_GRAMMAR_LARK &&
              static_cast<int>(text::GrammarKind::kGbnf) == LLCUDA_GRAMMAR_GBNF);

llcuda_open_options defaultOpenOptions() {
  llcuda_open_options options = {};
  options.struct_bytes = sizeof(options);
  return options;
}

/// Null with a length of 0 is an empty text.
Result<std::string_view> textOf(const char* text, std::size_t bytes) {
  if (!text && bytes != 0)
    return usageError("the text is NULL");
  return text ? std::string_view(text, bytes) : std::string_view();
}

} // namespace

static_assert(static_cast<int>(Verify::kFull) == LLCUDA_VERIFY_FULL &&
              static_cast<int>(Verify::kLazy) == LLCUDA_VERIFY_LAZY);

void llcuda_open_options_init(llcuda_open_options* options) {
  *options = defaultOpenOptions();
}

llcuda_status llcuda_engine_open(const char* path, llcuda_engine** engine, llcuda_error* error) {
  return llcuda_engine_open_with(path, nullptr, engine, error);
}

llcuda_status llcuda_engine_open_with(const char* path, const llcuda_open_options* options, llcuda_engine** engine,
                                      llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!path || !engine)
      return usageError("path or engine is NULL");
    LLCUDA_ASSIGN_OR_RETURN(const auto wanted, optionsOf(options, defaultOpenOptions()));
    if (wanted.verify != LLCUDA_VERIFY_FULL && wanted.verify != LLCUDA_VERIFY_LAZY)
      return usageError("verify is ", wanted.verify, ", which is no llcuda_verify");
    LLCUDA_ASSIGN_OR_RETURN(auto state, EngineState::open(path, static_cast<Verify>(wanted.verify)));
    *engine = new llcuda_engine{std::move(state)};
    return {};
  });
}

void llcuda_engine_close(llcuda_engine* engine) {
  delete engine;
}

void llcuda_engine_get_info(const llcuda_engine* engine, llcuda_engine_info* info) {
  EngineState& state = *engine->state;
  const fb::Engine& metadata = state.file().metadata();
  const fb::Model& model = state.file().model();
  llcuda_engine_info filled = {};
  filled.architecture = textOf(model.architecture());
  filled.name = textOf(model.name());
  filled.compiler = textOf(metadata.compiler()->version());
  filled.key_type = state.file().cacheType(fb::KvPart::keys).data();
  filled.value_type = state.file().cacheType(fb::KvPart::values).data();
  filled.layers = model.layers();
  filled.embedding = model.embedding();
  filled.vocabulary = model.vocabulary();
  filled.trained_context = model.trained_context();
  filled.max_context = metadata.max_context();
  filled.max_batch = metadata.max_batch();
  filled.has_tokenizer = state.hasTokenizer();
  filled.has_chat_template = guarded(nullptr, [&]() -> Result<void> {
                               return state.hasChatTemplate() ? Result<void>() : unsupported("none");
                             }) == LLCUDA_OK;
  filled.has_golden = metadata.golden() != nullptr;
  filled.weight_bytes = state.file().weightBytes();
  filled.file_bytes = state.file().fileBytes();
  filled.fingerprint = state.fingerprint().c_str();
  filled.source = textOf(model.source());
  filled.vocabulary_kind = text::name(state.textConfig().kind).data();
  filled.heads = model.heads();
  filled.kv_heads = model.kv_heads();
  filled.head_size = model.head_size();
  filled.feed_forward = model.feed_forward();
  filled.bos = state.textConfig().bos;
  filled.eos = state.textConfig().eos;
  filled.eot = state.textConfig().eot;
  filled.unknown = state.textConfig().unknown;
  filled.padding = state.textConfig().padding;
  filled.add_bos = state.textConfig().addBos;
  filled.encoder = model.encoder();
  handOut(filled, info);
}

llcuda_status llcuda_tokenize(const llcuda_engine* engine, const char* text, size_t bytes, uint32_t flags,
                              int32_t* tokens, size_t capacity, size_t* count, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    LLCUDA_ASSIGN_OR_RETURN(const std::string_view input, textOf(text, bytes));
    LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokenizer, engine->state->tokenizer());
    const text::EncodeOptions options{(flags & LLCUDA_ADD_BOS) != 0, (flags & LLCUDA_PARSE_SPECIAL) != 0};
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, flags& LLCUDA_RENDERED_CHAT
                                                                ? tokenizer->encodeChat(input)
                                                                : tokenizer->encode(input, options));
    return copyOut(ids, tokens, capacity, count);
  });
}

llcuda_status llcuda_detokenize(const llcuda_engine* engine, const int32_t* tokens, size_t count, int32_t special,
                                char* text, size_t capacity, size_t* bytes, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!tokens && count != 0)
      return usageError("tokens is NULL");
    LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokenizer, engine->state->tokenizer());
    return copyOut(tokenizer->decode({tokens, count}, special != 0), text, capacity, bytes);
  });
}

int32_t llcuda_token_piece(const llcuda_engine* engine, int32_t token, const char** bytes, size_t* count) {
  std::string_view piece;
  int32_t flags = 0;
  guarded(nullptr, [&]() -> Result<void> {
    LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer* tokenizer, engine->state->tokenizer());
    if (tokenizer->isPresent(token))
      flags = LLCUDA_PIECE_PRESENT | (tokenizer->isSpecial(token) ? LLCUDA_PIECE_SPECIAL : 0);
    piece = tokenizer->piece(token);
    return {};
  }); // without a vocabulary no token is present
  if (bytes)
    *bytes = piece.data();
  if (count)
    *count = piece.size();
  return flags;
}

const char* llcuda_chat_template(const llcuda_engine* engine, const char* name, size_t* bytes) {
  const std::string* source = nullptr;
  guarded(nullptr, [&]() -> Result<void> {
    LLCUDA_ASSIGN_OR_RETURN(source, engine->state->chatTemplateSource(name ? name : ""));
    return {};
  }); // NULL says it
  if (bytes)
    *bytes = source ? source->size() : 0;
  return source ? source->c_str() : nullptr;
}

llcuda_status llcuda_engine_set_chat_template(llcuda_engine* engine, const char* source, size_t bytes,
                                              llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    LLCUDA_ASSIGN_OR_RETURN(const std::string_view text, textOf(source, bytes));
    return engine->state->setChatTemplate(std::string(text));
  });
}

llcuda_status llcuda_render_chat(const llcuda_engine* engine, const llcuda_message* messages, size_t count,
                                 int32_t open_reply, char* text, size_t capacity, size_t* bytes, llcuda_error* error) {
  return llcuda_render_chat_as(engine, nullptr, messages, count, open_reply, text, capacity, bytes, error);
}

llcuda_status llcuda_render_chat_as(const llcuda_engine* engine, const char* template_name,
                                    const llcuda_message* messages, size_t count, int32_t open_reply, char* text,
                                    size_t capacity, size_t* bytes, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    std::vector<text::ChatMessage> turns;
    for (std::size_t i = 0; i < count; ++i) {
      if (!messages[i].role || !messages[i].content)
        return usageError("message ", i, " has no role or no content");
      turns.push_back({messages[i].role, messages[i].content});
    }
    LLCUDA_ASSIGN_OR_RETURN(const std::string rendered, engine->state->renderChat(template_name ? template_name : "",
                                                                                  std::move(turns), open_reply != 0));
    return copyOut(rendered, text, capacity, bytes);
  });
}

llcuda_status llcuda_render_turns(const llcuda_engine* engine, const char* template_name, const llcuda_turn* turns,
                                  size_t count, int32_t open_reply, char* text, size_t capacity, size_t* bytes,
                                  llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    std::vector<text::ChatMessage> messages;
    for (std::size_t i = 0; i < count; ++i) {
      LLCUDA_ASSIGN_OR_RETURN(const std::string_view role, textOf(turns[i].role, turns[i].role_bytes));
      LLCUDA_ASSIGN_OR_RETURN(const std::string_view content, textOf(turns[i].content, turns[i].content_bytes));
      messages.push_back({std::string(role), std::string(content)});
    }
    LLCUDA_ASSIGN_OR_RETURN(
        const std::string rendered,
        engine->state->renderChat(template_name ? template_name : "", std::move(messages), open_reply != 0));
    return copyOut(rendered, text, capacity, bytes);
  });
}

llcuda_status llcuda_render_chat_json(const llcuda_engine* engine, const char* template_name, const char* variables,
                                      size_t variable_bytes, char* text, size_t capacity, size_t* bytes,
                                      llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    LLCUDA_ASSIGN_OR_RETURN(const std::string_view json, textOf(variables, variable_bytes));
    LLCUDA_ASSIGN_OR_RETURN(const std::string rendered,
                            engine->state->renderChat(template_name ? template_name : "", json));
    return copyOut(rendered, text, capacity, bytes);
  });
}

int32_t llcuda_is_stop_token(const llcuda_engine* engine, int32_t token) {
  return engine->state->textConfig().endsGeneration(token);
}

llcuda_status llcuda_grammar_create(const llcuda_engine* engine, int32_t kind, const char* text, size_t bytes,
                                    llcuda_grammar** grammar, llcuda_error* error) {
  return guarded(error, [&]() -> Result<void> {
    if (!engine || !grammar)
      return usageError("engine or grammar is NULL");
    if (kind < LLCUDA_GRAMMAR_JSON_SCHEMA || kind > LLCUDA_GRAMMAR_GBNF)
      return usageError("kind is ", kind, ", which is no llcuda_grammar_kind");
    LLCUDA_ASSIGN_OR_RETURN(const std::string_view input, textOf(text, bytes));
    LLCUDA_ASSIGN_OR_RETURN(text::Grammars* const grammars, engine->state->grammars());
    LLCUDA_ASSIGN_OR_RETURN(auto made, grammars->create(static_cast<text::GrammarKind>(kind), input));
    *grammar = new llcuda_grammar{std::move(made), engine->state};
    return {};
  });
}

void llcuda_grammar_destroy(llcuda_grammar* grammar) {
  delete grammar;
}
