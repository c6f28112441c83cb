//! The clients of `examples/`: each is executed against the keyring, and the documents show what is really in them.

mod documents;
mod life;
mod overtaken;
mod patience;
mod program;
mod setting;
