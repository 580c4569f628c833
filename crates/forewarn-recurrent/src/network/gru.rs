use crate::{
    network::gates::{Gates, SLOTS, Stepped},
    simd::{arithmetic::Arithmetic, real::Real},
};

/// The GRU.
///
/// ```text
/// r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
/// z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
/// n =    tanh(W_in x + b_in + r (W_hn h + b_hn))
/// h' = (1 - z) n + z h
/// ```
///
/// Slots are n's share of the inputs, r, z, and n's share of the state. The memory is h.
pub(crate) struct Gru;

impl Gates<3> for Gru {
    const INPUT_GATES: [usize; 3] = [2, 0, 1];
    const STATE_GATES: [usize; 3] = [0, 1, 2];
    const STATE_SLOT: usize = 1;
    const HAS_CELLS: bool = false;

    #[inline(always)]
    fn turn<V: Copy>([_, r, z]: [V; 3], last_bias: V) -> [V; 3] {
        [r, z, last_bias]
    }

    #[inline(always)]
    fn slots<V: Copy>([n, ..]: [V; 3], [r, z, state]: [V; 3]) -> [V; SLOTS] {
        [n, r, z, state]
    }

    #[inline(always)]
    fn step<A: Arithmetic>(a: A, [n, r, z, s]: [A::Vector; SLOTS], memory: A::Vector) -> Stepped<A::Vector> {
        let (r, z) = (a.sigmoid(r), a.sigmoid(z));
        let n = a.tanh(a.mul_add(r, s, n));
        let state = a.mul_add(z, a.sub(memory, n), n);
        Stepped { slots: [n, r, z, s], memory: state, squashed: state, state }
    }

    #[inline(always)]
    fn differentiate<A: Arithmetic>(
        a: A,
        [n, r, z, s]: [A::Vector; SLOTS],
        memory_before: A::Vector,
        _: A::Vector,
        state_grad: A::Vector,
        _: A::Vector,
    ) -> ([A::Vector; SLOTS], A::Vector) {
        let one = a.splat(A::Number::ONE);
        let less = |x| a.sub(one, x);
        let by_n = a.mul(a.mul(state_grad, less(z)), a.sub(one, a.mul(n, n)));
        let by_z = a.mul(a.mul(state_grad, a.sub(memory_before, n)), a.mul(z, less(z)));
        let by_r = a.mul(a.mul(by_n, s), a.mul(r, less(r)));
        ([by_n, by_r, by_z, a.mul(by_n, r)], a.mul(state_grad, z))
    }
}
