// SPDX-License-Identifier: Apache-2.0
//! A tokenizer.json, opened: text to ids, ids to bytes. It adds no token of its own: BOS and EOS are the caller's.

use serde::de::DeserializeOwned;
use serde::Deserialize;
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::tokenizer::AddedVocabulary;
use tokenizers::{
    DecoderWrapper, Model, NormalizerWrapper, OffsetReferential, OffsetType, PostProcessorWrapper, PreTokenizer,
    PreTokenizerWrapper, TokenizerImpl,
};

use crate::failure::{Code, Failure};
use crate::pieces::{PieceRule, PieceWriter, Pieces};
use crate::scored_bpe::ScoredBpe;

/// Ids above this are refused: no vocabulary has them, and a table is made of their number.
const MAX_IDS: usize = 1 << 22;

const SUPPORTED: &str = "BPE, WordPiece and Unigram are supported";

type Parts<M> = TokenizerImpl<M, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

trait Encode: Send + Sync {
    fn encode(&self, text: &str, parse_special: bool) -> Result<Vec<u32>, Failure>;
    fn find(&self, token: &str) -> Option<u32>;
}

struct Pipeline<M: Model> {
    parts: Parts<M>,
    /// The added tokens of a text in which special tokens are plain text.
    plain: AddedVocabulary,
}

impl<M: Model + Send + Sync> Encode for Pipeline<M> {
    fn encode(&self, text: &str, parse_special: bool) -> Result<Vec<u32>, Failure> {
        let added = if parse_special { self.parts.get_added_vocabulary() } else { &self.plain };
        let mut pieces = added.extract_and_normalize(self.parts.get_normalizer(), text);
        let failed = |e: tokenizers::Error| Failure::new(Code::BadInput, format!("tokenizer: {e}"));
        if let Some(splitter) = self.parts.get_pre_tokenizer() {
            splitter.pre_tokenize(&mut pieces).map_err(failed)?;
        }
        self.parts.get_model().tokenize_in_pretokenized(&mut pieces, None).map_err(failed)?;
        let splits = pieces.get_splits(OffsetReferential::Normalized, OffsetType::None);
        Ok(splits.iter().flat_map(|(_, _, tokens)| tokens.iter().flatten()).map(|token| token.id).collect())
    }

    fn find(&self, token: &str) -> Option<u32> {
        self.parts.token_to_id(token)
    }
}

pub struct Tokenizer {
    pipeline: Box<dyn Encode>,
    pieces: Pieces,
}

#[derive(Deserialize)]
struct ModelHead {
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    model: ModelHead,
}

impl Tokenizer {
    pub fn open(json: &[u8]) -> Result<Self, Failure> {
        let head: Head = parse(json)?;
        match head.model.kind.as_deref() {
            Some("BPE") => Self::with_model::<BPE>(json),
            Some("ScoredBPE") => Self::with_model::<ScoredBpe>(json),
            Some("WordPiece") => Self::with_model::<WordPiece>(json),
            Some("Unigram") => Self::with_model::<Unigram>(json),
            Some(kind) => Err(Failure::unsupported(format!("tokenizer.json: model type {kind} ({SUPPORTED})"))),
            None => Err(Failure::unsupported(format!("tokenizer.json: the model has no type ({SUPPORTED})"))),
        }
    }

    fn with_model<M: Model + DeserializeOwned + Send + Sync + 'static>(json: &[u8]) -> Result<Self, Failure> {
        let parts: Parts<M> = parse(json)?;
        let pieces = collect_pieces(&parts)?;
        let mut plain = parts.get_added_vocabulary().clone();
        plain.set_encode_special_tokens(true);
        Ok(Self { pipeline: Box::new(Pipeline { parts, plain }), pieces })
    }

    pub fn encode(&self, text: &str, parse_special: bool) -> Result<Vec<u32>, Failure> {
        self.pipeline.encode(text, parse_special)
    }

    pub fn find(&self, token: &str) -> Option<u32> {
        self.pipeline.find(token)
    }

    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|e| Failure::bad_input(format!("tokenizer.json: {e}")))
}

fn collect_pieces<M: Model>(parts: &Parts<M>) -> Result<Pieces, Failure> {
    let writer = PieceWriter::new(PieceRule::from_decoder(parts.get_decoder())?);
    let added = parts.get_added_vocabulary().get_added_tokens_decoder();
    let highest = parts.get_model().get_vocab().into_values().chain(added.keys().copied()).max();
    let count = highest.map_or(0, |id| id as usize + 1);
    if count > MAX_IDS {
        return Err(Failure::bad_input(format!("tokenizer.json: token id {} is above {MAX_IDS}", count - 1)));
    }
    let mut pieces = Pieces::new();
    for id in 0..count as u32 {
        match added.get(&id) {
            Some(token) => pieces.push(Some(&token.content), true, token.special, &writer),
            None => pieces.push(parts.get_model().id_to_token(id).as_deref(), false, false, &writer),
        }
    }
    Ok(pieces)
}
