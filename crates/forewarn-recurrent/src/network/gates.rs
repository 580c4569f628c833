use crate::simd::arithmetic::Arithmetic;

/// Sums that a hidden unit has before its gates are activated, with those of a cell that keeps some apart: its slots.
pub(crate) const SLOTS: usize = 4;

/// What a cell leaves behind in a step: activated slots, memory, the squashed memory, and the hidden state.
pub(crate) struct Stepped<V> {
    pub(crate) slots: [V; SLOTS],
    pub(crate) memory: V,
    pub(crate) squashed: V,
    pub(crate) state: V,
}

/// The equations of a cell with `G` gates, for sixteen units at once: all in which an LSTM and a GRU differ.
///
/// In a step each unit adds up `G` sums over the inputs and `G` over the state before. They meet in four *slots*: the
/// inputs' sums in the first `G` of them, the state's in those from [`STATE_SLOT`](Self::STATE_SLOT) on.
pub(crate) trait Gates<const G: usize> {
    /// Which of PyTorch's gates the inputs' sums are, in the order of their slots.
    const INPUT_GATES: [usize; G];
    /// Which of PyTorch's gates the state's sums are.
    const STATE_GATES: [usize; G];
    /// The slot of the first of the state's sums.
    const STATE_SLOT: usize;
    /// Whether a memory goes from step to step beside the hidden state. Where not, the hidden state is the memory.
    const HAS_CELLS: bool;

    /// What the state's sums start from, given the inputs' and the bias of the last slot.
    fn turn<V: Copy>(input_sums: [V; G], last_bias: V) -> [V; G];

    /// Both kinds of sums as slots.
    fn slots<V: Copy>(input_sums: [V; G], sums: [V; G]) -> [V; SLOTS];

    /// From the sums and the memory before to the state after.
    fn step<A: Arithmetic>(a: A, sums: [A::Vector; SLOTS], memory: A::Vector) -> Stepped<A::Vector>;

    /// From the derivatives by the state and the memory after a step to those by the sums and by the memory before.
    ///
    /// `slots` and `squashed` are as [`step`](Self::step) left them.
    fn differentiate<A: Arithmetic>(
        a: A,
        slots: [A::Vector; SLOTS],
        memory_before: A::Vector,
        squashed: A::Vector,
        state_grad: A::Vector,
        memory_grad: A::Vector,
    ) -> ([A::Vector; SLOTS], A::Vector);
}
