//! For `make verify`: what takes long and changes rarely.

mod contract;
