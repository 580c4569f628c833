use crate::{
    network::gates::{Gates, SLOTS, Stepped},
    simd::{arithmetic::Arithmetic, real::Real},
};

/// The LSTM.
///
/// ```text
/// i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)     c' = f c + i g
/// f = sigmoid(W_if x + b_if + W_hf h + b_hf)     h' = o tanh(c')
/// g =    tanh(W_ig x + b_ig + W_hg h + b_hg)
/// o = sigmoid(W_io x + b_io + W_ho h + b_ho)
/// ```
///
/// Slots are i, f, g, o; the memory is c.
pub(crate) struct Lstm;

impl Gates<4> for Lstm {
    const INPUT_GATES: [usize; 4] = [0, 1, 2, 3];
    const STATE_GATES: [usize; 4] = [0, 1, 2, 3];
    const STATE_SLOT: usize = 0;
    const HAS_CELLS: bool = true;

    #[inline(always)]
    fn turn<V: Copy>(input_sums: [V; 4], _: V) -> [V; 4] {
        input_sums
    }

    #[inline(always)]
    fn slots<V: Copy>(_: [V; 4], sums: [V; 4]) -> [V; SLOTS] {
        sums
    }

    #[inline(always)]
    fn step<A: Arithmetic>(a: A, [i, f, g, o]: [A::Vector; SLOTS], memory: A::Vector) -> Stepped<A::Vector> {
        let (i, f, g, o) = (a.sigmoid(i), a.sigmoid(f), a.tanh(g), a.sigmoid(o));
        let memory = a.mul_add(f, memory, a.mul(i, g));
        let squashed = a.tanh(memory);
        Stepped { slots: [i, f, g, o], memory, squashed, state: a.mul(o, squashed) }
    }

    #[inline(always)]
    fn differentiate<A: Arithmetic>(
        a: A,
        [i, f, g, o]: [A::Vector; SLOTS],
        memory_before: A::Vector,
        squashed: A::Vector,
        state_grad: A::Vector,
        memory_grad: A::Vector,
    ) -> ([A::Vector; SLOTS], A::Vector) {
        let one = a.splat(A::Number::ONE);
        let less = |x| a.sub(one, x);
        let less_squared = |x| a.sub(one, a.mul(x, x));
        let c = a.mul_add(a.mul(state_grad, o), less_squared(squashed), memory_grad);
        let slots = [
            a.mul(a.mul(c, g), a.mul(i, less(i))),
            a.mul(a.mul(c, memory_before), a.mul(f, less(f))),
            a.mul(a.mul(c, i), less_squared(g)),
            a.mul(a.mul(state_grad, squashed), a.mul(o, less(o))),
        ];
        (slots, a.mul(c, f))
    }
}
