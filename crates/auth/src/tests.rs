//! Tables of tokens and assertions, signed here with keys of every kind.

mod assertion;
mod signer;
mod token;
