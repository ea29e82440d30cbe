// SPDX-License-Identifier: Apache-2.0
//! Grammars over the pieces of a vocabulary: which tokens may come next.
//!
//! The text of a grammar may be hostile: creation has a deadline and a limit on memory (`budget`), nesting is limited
//! before anything recurses over it, and what a mask may take is limited by the library's own counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use llguidance::api::{ParserLimits, TopLevelGrammar};
use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie, INVALID_TOKEN};
use llguidance::{Matcher as Inner, ParserFactory};
use serde_json::{json, Value};

use crate::budget::{self, Stop};
use crate::failure::{Code, Failure};
use crate::nesting;
use crate::pieces::{Pieces, FLAG_SPECIAL};

const MAX_TEXT_BYTES: usize = 4 << 20;
/// What creation may hold: a schema of 2,000 optional properties takes a tenth.
const CREATION_BYTES: usize = 512 << 20;
/// About 2 kB each.
const MAX_LEXER_STATES: usize = 50_000;
/// A sentence is no dump.
const MAX_MESSAGE_CHARS: usize = 400;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    JsonSchema,
    JsonObject,
    Regex,
    Lark,
}

impl Kind {
    /// By the numbers of `text_abi.h`.
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::JsonSchema, Self::JsonObject, Self::Regex, Self::Lark]
            .into_iter()
            .find(|kind| *kind as i32 + 1 == number)
    }

    fn name(self) -> &'static str {
        match self {
            Self::JsonSchema => "JSON schema",
            Self::JsonObject => "JSON object",
            Self::Regex => "regex",
            Self::Lark => "Lark grammar",
        }
    }
}

fn usage(kind: Kind, why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Usage, format!("{}: {why}", kind.name()))
}

/// What grammars need of a vocabulary.
pub struct Grammars {
    factory: Arc<ParserFactory>,
}

impl Grammars {
    /// `vocabulary`: rows of the model's head; ids that the tokenizer does not have are never allowed.
    pub fn open(pieces: &Pieces, vocabulary: u32, stops: &[i32]) -> Result<Self, Failure> {
        let stops: Vec<u32> = stops.iter().map(|&id| id as u32).filter(|&id| id < vocabulary).collect();
        let words: Vec<Vec<u8>> = (0..vocabulary).map(|id| word(pieces, id, &stops)).collect();
        let info = TokRxInfo::new(vocabulary, stops.first().copied().unwrap_or(INVALID_TOKEN));
        let mut trie = TokTrie::from(&info, &words);
        if !stops.is_empty() {
            trie = trie.with_eos_tokens(&stops);
        }
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let failed = |e| Failure::new(Code::Internal, format!("grammars: {}", sentence(&format!("{e:#}"))));
        let mut factory = ParserFactory::new_simple(&env).map_err(failed)?;
        factory.quiet();
        let limits: &mut ParserLimits = factory.limits_mut();
        limits.max_lexer_states = MAX_LEXER_STATES;
        limits.verbose_errors = false;
        Ok(Self { factory: Arc::new(factory) })
    }

    pub fn create(&self, kind: Kind, text: &[u8], deadline: Duration) -> Result<Grammar, Failure> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(usage(kind, format!("{} bytes, at most {MAX_TEXT_BYTES}", text.len())));
        }
        let text = std::str::from_utf8(text).map_err(|_| usage(kind, "not UTF-8"))?.to_owned();
        let factory = self.factory.clone();
        let template = match budget::run_within(CREATION_BYTES, nesting::STACK_BYTES, deadline, move || {
            compile(&factory, kind, &text)
        }) {
            Ok(result) => result?,
            Err(Stop::Memory) => return Err(usage(kind, "it takes more memory than a grammar may")),
            Err(Stop::Time) => {
                return Err(usage(kind, format!("it takes more than {} ms to prepare", deadline.as_millis())));
            }
            Err(Stop::Failed(why)) => return Err(Failure::new(Code::Internal, format!("{}: {why}", kind.name()))),
        };
        Ok(Grammar { kind, template: Mutex::new(Template { inner: template, first: None }) })
    }
}

/// Special tokens are 0xff and their name, which no text is; so are the tokens that end an answer.
fn word(pieces: &Pieces, id: u32, stops: &[u32]) -> Vec<u8> {
    let Some((bytes, flags)) = pieces.get(id) else { return Vec::new() };
    let mut word = Vec::with_capacity(bytes.len() + 1);
    if flags & FLAG_SPECIAL != 0 || stops.contains(&id) {
        word.push(TokTrie::SPECIAL_TOKEN_MARKER);
    } else if bytes.first() == Some(&TokTrie::SPECIAL_TOKEN_MARKER) {
        return Vec::new(); // a byte that no text has
    }
    word.extend_from_slice(bytes);
    word
}

fn compile(factory: &ParserFactory, kind: Kind, text: &str) -> Result<Inner, Failure> {
    let mut schema = None;
    let grammar = match kind {
        Kind::JsonSchema => {
            let mut value: Value = serde_json::from_str(text).map_err(|e| usage(kind, e))?;
            nesting::check_references(&value).map_err(|why| usage(kind, why))?;
            set_defaults(&mut value);
            schema = Some(value.clone());
            TopLevelGrammar::from_json_schema(value)
        }
        Kind::JsonObject => {
            let mut value = json!({"type": "object"});
            set_defaults(&mut value);
            TopLevelGrammar::from_json_schema(value)
        }
        Kind::Regex => {
            nesting::check_brackets(text).map_err(|why| usage(kind, why))?;
            TopLevelGrammar::from_regex(text)
        }
        Kind::Lark => {
            nesting::check_brackets(text).map_err(|why| usage(kind, why))?;
            TopLevelGrammar::from_lark(text.to_owned())
        }
    };
    let matcher = Inner::new(factory.create_parser(grammar));
    match matcher.get_error() {
        None => Ok(matcher),
        Some(error) => {
            let pointer = schema.and_then(|schema| crate::schema_pointer::of_error(&schema, &error));
            let place = pointer.map_or(String::new(), |pointer| format!(" (at {pointer})"));
            Err(usage(kind, format!("{}{place}", sentence(&error))))
        }
    }
}

/// Blanks between the parts of JSON, as llama.cpp bounds them: a model that likes blanks writes them for ever.
const BLANKS: &str = r"( |\n{1,2}[ \t]{0,20})?";

/// `oneOf` counts as `anyOf`, as in other servers, and blanks are few, unless the schema says otherwise.
fn set_defaults(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        let options = fields.entry("x-guidance").or_insert_with(|| json!({}));
        if let Value::Object(options) = options {
            options.entry("coerce_one_of").or_insert(Value::Bool(true));
            if !options.contains_key("whitespace_flexible") {
                options.entry("whitespace_pattern").or_insert_with(|| json!(BLANKS));
            }
        }
    }
}

/// The library's message without dumps of its state, on one line.
fn sentence(message: &str) -> String {
    let lines: Vec<&str> = message
        .lines()
        .take_while(|line| !line.starts_with("<backtrace>") && !line.starts_with("<state>"))
        .filter(|line| !line.starts_with('<') && !is_excerpt(line))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let joined = lines.join(", ");
    let short: String = joined.chars().take(MAX_MESSAGE_CHARS).collect();
    short.trim_end_matches('.').to_owned()
}

/// A line of the source with its number in front, or the mark below it.
fn is_excerpt(line: &str) -> bool {
    let rest = line.trim_start();
    rest == "^" || rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(" |")
}

struct Template {
    inner: Inner,
    /// Its first mask, once somebody asked.
    first: Option<Arc<Vec<u32>>>,
}

/// Usable by several threads at once.
pub struct Grammar {
    kind: Kind,
    template: Mutex<Template>,
}

impl Grammar {
    /// The first one computes the first mask, and the automata behind it, for all that follow.
    pub fn matcher(&self) -> Result<Matcher, Failure> {
        let mut template = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        if template.first.is_none() {
            // On a copy: a template that failed once would fail for ever without a word.
            let mut inner = template.inner.deep_clone();
            let mask = inner.compute_mask_or_eos().map_err(|e| self.failed(&e))?;
            template.inner = inner;
            template.first = Some(Arc::new(mask.as_slice().to_vec()));
        }
        Ok(Matcher { kind: self.kind, inner: template.inner.deep_clone(), first: template.first.clone() })
    }

    fn failed(&self, error: &anyhow::Error) -> Failure {
        Failure::bad_input(format!("{}: {}", self.kind.name(), sentence(&error.to_string())))
    }
}

/// Where one answer stands in its grammar. One thread at a time.
pub struct Matcher {
    kind: Kind,
    inner: Inner,
    first: Option<Arc<Vec<u32>>>,
}

impl Matcher {
    pub fn copy(&self) -> Self {
        Self { kind: self.kind, inner: self.inner.deep_clone(), first: self.first.clone() }
    }

    /// A bit for each token: the tokens that may come next. Of a grammar that has ended the stop tokens.
    pub fn mask(&mut self, words: &mut [u32]) -> Result<(), Failure> {
        if let Some(first) = &self.first {
            write_words(words, first);
            return Ok(());
        }
        let mask = self.inner.compute_mask_or_eos().map_err(|e| self.failed(&e))?;
        write_words(words, mask.as_slice());
        Ok(())
    }

    pub fn consume(&mut self, token: u32) -> Result<(), Failure> {
        let allowed = self.inner.validate_tokens(&[token]).map_err(|e| self.failed(&e))?;
        if allowed == 0 {
            return Err(Failure::new(Code::Internal, format!("token {token} is not in its {}", self.kind.name())));
        }
        self.first = None;
        self.inner.consume_token(token).map_err(|e| self.failed(&e))
    }

    /// Text that is no whole token, such as the end of one. Blanks in front of it need not be of the grammar.
    pub fn consume_text(&mut self, text: &[u8]) -> Result<(), Failure> {
        let env = self.inner.tok_env().map_err(|e| self.failed(&e))?;
        let tight = text.trim_ascii_start();
        for text in [text, tight] {
            let tokens = env.tok_trie().greedy_tokenize(text);
            let allowed = self.inner.validate_tokens(&tokens).map_err(|e| self.failed(&e))?;
            if allowed == tokens.len() {
                self.first = None;
                return self.inner.consume_tokens(&tokens).map_err(|e| self.failed(&e));
            }
        }
        let text = String::from_utf8_lossy(text);
        Err(Failure::bad_input(format!("{}: the answer goes on with {text:?}, which is not of it", self.kind.name())))
    }

    /// Nothing but a stop token may come.
    pub fn is_stopped(&self) -> bool {
        self.inner.is_stopped()
    }

    fn failed(&self, error: &anyhow::Error) -> Failure {
        Failure::bad_input(format!("{}: {}", self.kind.name(), sentence(&error.to_string())))
    }
}

fn write_words(words: &mut [u32], mask: &[u32]) {
    words.fill(0);
    let count = words.len().min(mask.len());
    words[..count].copy_from_slice(&mask[..count]);
}
