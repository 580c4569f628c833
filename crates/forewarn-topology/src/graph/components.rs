/// The services of a graph in an order in which servers come before their clients, as far as cycles allow: components,
/// which call one another in a circle, stand together.
#[derive(Clone, Debug)]
pub(crate) struct Components {
    /// All services.
    pub(super) order: Vec<usize>,
    /// Where each component begins in it.
    pub(super) begins: Vec<usize>,
}

impl Components {
    /// The services of each component, each after those that it calls.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &[usize]> {
        self.begins.iter().enumerate().map(|(number, &from)| {
            let to = self.begins.get(number + 1).copied().unwrap_or(self.order.len());
            &self.order[from..to]
        })
    }

    /// The number of the component that each service is in.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        let mut numbers = vec![0; self.order.len()];
        for (number, component) in self.iter().enumerate() {
            component.iter().for_each(|&service| numbers[service] = number);
        }
        numbers
    }
}
