// SPDX-License-Identifier: Apache-2.0
//! The bytes of every token. The text of a sequence is the bytes of its tokens, one after the other, so a stream needs
//! no more than this table.

use std::collections::HashMap;

use tokenizers::decoders::DecoderWrapper;

use crate::failure::Failure;

/// How the text of an ordinary token becomes bytes; added tokens are their own text.
#[derive(Default, Clone, Copy)]
pub struct PieceRule {
    byte_level: bool,
    underline_is_space: bool,
    byte_tokens: bool,
    words: bool,
}

/// In front of what goes on with a word, in a vocabulary of words.
const GOES_ON: &str = "##";
const UNDERLINE: char = '\u{2581}';

impl PieceRule {
    /// The rule of a tokenizer.json's decoder. Strip and Fuse act on whole sequences: the caller's matter.
    pub fn from_decoder(decoder: Option<&DecoderWrapper>) -> Result<Self, Failure> {
        let mut rule = Self::default();
        if let Some(decoder) = decoder {
            rule.add(decoder)?;
        }
        Ok(rule)
    }

    fn add(&mut self, decoder: &DecoderWrapper) -> Result<(), Failure> {
        match decoder {
            DecoderWrapper::ByteLevel(_) => self.byte_level = true,
            DecoderWrapper::ByteFallback(_) => self.byte_tokens = true,
            DecoderWrapper::Metaspace(m) if m.get_replacement() == UNDERLINE => self.underline_is_space = true,
            DecoderWrapper::Replace(replace) => {
                let stored = serde_json::to_value(replace).unwrap_or_default();
                if stored["pattern"]["String"] != "\u{2581}" || stored["content"] != " " {
                    return Err(Failure::unsupported(format!("tokenizer.json: decoder {stored}")));
                }
                self.underline_is_space = true;
            }
            DecoderWrapper::WordPiece(words) if words.prefix == GOES_ON => self.words = true,
            DecoderWrapper::Fuse(_) | DecoderWrapper::Strip(_) => {}
            DecoderWrapper::Sequence(sequence) => {
                for decoder in sequence.get_decoders() {
                    self.add(decoder)?;
                }
            }
            other => return Err(Failure::unsupported(format!("tokenizer.json: decoder {other:?}"))),
        }
        Ok(())
    }

    fn bytes(&self, token: &str, alphabet: &HashMap<char, u8>) -> Vec<u8> {
        if self.byte_tokens {
            if let Some(byte) = byte_token(token) {
                return vec![byte];
            }
        }
        if self.byte_level {
            let bytes: Option<Vec<u8>> = token.chars().map(|c| alphabet.get(&c).copied()).collect();
            return bytes.unwrap_or_else(|| token.as_bytes().to_vec());
        }
        if self.underline_is_space {
            return token.replace(UNDERLINE, " ").into_bytes();
        }
        if self.words {
            return token.strip_prefix(GOES_ON).map_or_else(|| format!(" {token}"), str::to_owned).into_bytes();
        }
        token.as_bytes().to_vec()
    }
}

/// `<0x0A>` is 10; nothing else is a byte token.
fn byte_token(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() != 2 || !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

/// The alphabet of byte-level BPE: printable Latin-1 bytes stand for themselves, the others for U+0100 and up.
fn byte_alphabet() -> HashMap<char, u8> {
    let mut next = 256;
    (0..=255u8)
        .map(|byte| match byte {
            b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => (char::from(byte), byte),
            _ => {
                next += 1;
                (char::from_u32(next - 1).expect("below U+0144"), byte)
            }
        })
        .collect()
}

pub struct Pieces {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    flags: Vec<u8>,
}

/// A token that no text is: control and unknown tokens.
pub const FLAG_SPECIAL: u8 = 1;
/// The vocabulary has this id.
pub const FLAG_PRESENT: u8 = 2;

impl Pieces {
    pub fn new() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), flags: Vec::new() }
    }

    /// The next id: None for a hole, `added` for tokens that stand for their own text.
    pub fn push(&mut self, token: Option<&str>, added: bool, special: bool, writer: &PieceWriter) {
        if let Some(token) = token {
            if added {
                self.bytes.extend_from_slice(token.as_bytes());
            } else {
                self.bytes.extend_from_slice(&writer.rule.bytes(token, &writer.alphabet));
            }
        }
        let special = if special { FLAG_SPECIAL } else { 0 };
        let present = if token.is_some() { FLAG_PRESENT } else { 0 };
        self.ends.push(self.bytes.len());
        self.flags.push(special | present);
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, id: u32) -> Option<(&[u8], u8)> {
        let id = id as usize;
        let end = *self.ends.get(id)?;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        Some((&self.bytes[start..end], self.flags[id]))
    }
}

pub struct PieceWriter {
    rule: PieceRule,
    alphabet: HashMap<char, u8>,
}

impl PieceWriter {
    pub fn new(rule: PieceRule) -> Self {
        Self { rule, alphabet: byte_alphabet() }
    }
}
