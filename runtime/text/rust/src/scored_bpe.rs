// SPDX-License-Identifier: Apache-2.0
//! SentencePiece BPE over scores: of all adjacent pairs whose joined text is a token, join the one with the highest
//! score, the leftmost on ties, until none is left. What is no token then becomes its bytes, `<0xXX>`.
//!
//! In a tokenizer.json: `{"type": "ScoredBPE", "unk_id": 0 or null, "vocab": [["piece", score], ...]}`, ids in order.
//! A list of merges cannot say this: there every split of a token has a rank of its own, here ties go by position.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::bpe::BpeTrainer;
use tokenizers::{Model, Result, Token};

#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "type")]
    kind: String,
    unk_id: Option<u32>,
    vocab: Vec<(String, f32)>,
}

#[derive(Deserialize)]
#[serde(try_from = "Stored")]
pub struct ScoredBpe {
    pieces: Vec<(String, f32)>,
    ids: HashMap<String, u32>,
    bytes: [Option<u32>; 256],
    unknown: Option<u32>,
}

impl TryFrom<Stored> for ScoredBpe {
    type Error = String;

    fn try_from(stored: Stored) -> std::result::Result<Self, String> {
        if stored.kind != "ScoredBPE" {
            return Err(format!("model type {} is not ScoredBPE", stored.kind));
        }
        let mut ids = HashMap::with_capacity(stored.vocab.len());
        for (id, (piece, score)) in stored.vocab.iter().enumerate() {
            if !score.is_finite() {
                return Err(format!("the score of token {id} is not finite"));
            }
            if ids.insert(piece.clone(), id as u32).is_some() {
                return Err(format!("token {id} repeats the text of an earlier one"));
            }
        }
        if let Some(id) = stored.unk_id.filter(|id| *id as usize >= stored.vocab.len()) {
            return Err(format!("unk_id is {id} of {}", stored.vocab.len()));
        }
        let bytes = std::array::from_fn(|byte| ids.get(&format!("<0x{byte:02X}>")).copied());
        Ok(Self { pieces: stored.vocab, ids, bytes, unknown: stored.unk_id })
    }
}

/// A run of text; `size` 0 once it was joined to its left neighbour.
struct Symbol {
    start: usize,
    size: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

struct Pair {
    score: f32,
    left: usize,
    right: usize,
    size: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(Reverse(self.left).cmp(&Reverse(other.left)))
    }
}
impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Pair {}

impl ScoredBpe {
    fn offer(
        &self,
        text: &str,
        symbols: &[Symbol],
        pair: (Option<usize>, Option<usize>),
        queue: &mut BinaryHeap<Pair>,
    ) {
        let (Some(left), Some(right)) = pair else { return };
        let size = symbols[left].size + symbols[right].size;
        let start = symbols[left].start;
        if let Some(&id) = self.ids.get(&text[start..start + size]) {
            // Zero has two signs; they compare equal in the scores' own order.
            queue.push(Pair { score: self.pieces[id as usize].1 + 0.0, left, right, size });
        }
    }

    fn join(&self, text: &str) -> Vec<Symbol> {
        let count = text.chars().count();
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(i, (start, c))| Symbol {
                start,
                size: c.len_utf8(),
                previous: i.checked_sub(1),
                next: (i + 1 < count).then_some(i + 1),
            })
            .collect();
        let mut queue = BinaryHeap::new();
        for i in 1..count {
            self.offer(text, &symbols, (Some(i - 1), Some(i)), &mut queue);
        }
        while let Some(Pair { left, right, size, .. }) = queue.pop() {
            let outdated = symbols[left].size == 0 || symbols[right].size == 0;
            if outdated || symbols[left].size + symbols[right].size != size {
                continue;
            }
            symbols[left].size = size;
            symbols[right].size = 0;
            let next = symbols[right].next;
            symbols[left].next = next;
            if let Some(next) = next {
                symbols[next].previous = Some(left);
            }
            self.offer(text, &symbols, (symbols[left].previous, Some(left)), &mut queue);
            self.offer(text, &symbols, (Some(left), next), &mut queue);
        }
        symbols.retain(|symbol| symbol.size != 0);
        symbols
    }
}

impl Model for ScoredBpe {
    type Trainer = BpeTrainer;

    fn tokenize(&self, text: &str) -> Result<Vec<Token>> {
        let mut tokens = Vec::new();
        for symbol in self.join(text) {
            let (start, end) = (symbol.start, symbol.start + symbol.size);
            let piece = &text[start..end];
            if let Some(&id) = self.ids.get(piece) {
                tokens.push(Token::new(id, piece.to_owned(), (start, end)));
                continue;
            }
            for byte in piece.bytes() {
                let id = self.bytes[byte as usize].or(self.unknown);
                let id = id.ok_or_else(|| format!("the vocabulary has no token for byte 0x{byte:02X}"))?;
                tokens.push(Token::new(id, self.pieces[id as usize].0.clone(), (start, end)));
            }
        }
        Ok(tokens)
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        self.pieces.get(id as usize).map(|(piece, _)| piece.clone())
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        self.ids.clone()
    }

    fn get_vocab_size(&self) -> usize {
        self.pieces.len()
    }

    fn save(&self, _folder: &Path, _name: Option<&str>) -> Result<Vec<PathBuf>> {
        Err("a ScoredBPE model lives in its tokenizer.json alone".into())
    }

    fn get_trainer(&self) -> BpeTrainer {
        BpeTrainer::default()
    }
}
