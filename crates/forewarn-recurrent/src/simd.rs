//! Numbers in lanes: products and elementwise functions by the widest instructions that the processor has.

pub(crate) mod aligned;
pub(crate) mod arithmetic;
pub(crate) mod kernel;
pub(crate) mod panels;
pub(crate) mod processor;
pub(crate) mod real;
