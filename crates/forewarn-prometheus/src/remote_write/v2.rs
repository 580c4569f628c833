//! `io.prometheus.write.v2.Request`: names and values are written once, in a table of symbols.

use std::collections::BTreeSet;

use super::message::Metadata2;
use super::v1::{Budget, Parts, kind_of};
use super::{FamilyMetadata, WriteRequest};
use crate::wire::{self, Payload, fields, varint};
use crate::{Labels, Limits, PrometheusError};

const MESSAGE: &str = "io.prometheus.write.v2.Request";

pub(super) fn read(message: &[u8], limits: &Limits) -> Result<WriteRequest, PrometheusError> {
    let symbols = Symbols::of(message)?;
    let mut request = WriteRequest::default();
    let mut budget = Budget::new(limits);
    let mut families = BTreeSet::new();
    // Few bytes refer to long symbols: all labels together are held to the size of a message.
    let mut label_bytes = 0;
    for field in fields(MESSAGE, message) {
        let (5, Payload::Bytes(bytes)) = field? else { continue };
        let mut refs = Refs::default();
        let mut parts = Parts::empty();
        let mut metadata = None;
        for field in fields("TimeSeries", bytes) {
            match field? {
                (1, Payload::Varint(one)) => refs.push(one, limits),
                (1, Payload::Bytes(packed)) => refs.unpack(packed, limits)?,
                (2, Payload::Bytes(sample)) => parts.sample(sample),
                (3, Payload::Bytes(histogram)) => parts.histogram(histogram),
                (4, Payload::Bytes(_)) => parts.exemplar(),
                (5, Payload::Bytes(bytes)) => metadata = Some(wire::decode::<Metadata2>("Metadata", bytes)?),
                _ => {}
            }
        }
        let labels = refs.labels(&symbols, limits).and_then(|(labels, bytes)| {
            limits.bytes(label_bytes + bytes)?;
            label_bytes += bytes;
            Ok(labels)
        });
        if let (Ok(labels), Some(metadata)) = (&labels, metadata.filter(|metadata| metadata.kind != 0))
            && let Some(family) = labels.name()
            && families.len() < limits.max_series
            && families.insert(family.to_owned())
        {
            let text = |reference| symbols.get(u64::from(reference)).map(str::to_owned).unwrap_or_default();
            let (kind, help, unit) =
                (kind_of(metadata.kind), text(metadata.help_ref), text(metadata.unit_ref));
            request.metadata.push(FamilyMetadata { family: family.to_owned(), kind, help, unit });
        }
        budget.series(labels, &parts, &mut request)?;
    }
    Ok(request)
}

/// The table of symbols.
struct Symbols<'a> {
    table: Vec<&'a str>,
}

impl<'a> Symbols<'a> {
    fn of(message: &'a [u8]) -> Result<Self, PrometheusError> {
        let mut table = Vec::new();
        for field in fields(MESSAGE, message) {
            if let (4, Payload::Bytes(bytes)) = field? {
                let symbol = std::str::from_utf8(bytes);
                table.push(symbol.map_err(|_| wire::invalid(MESSAGE, "a symbol is not UTF-8"))?);
            }
        }
        // No symbols and no series: a message of the other version.
        if table.first().is_some_and(|first: &&str| !first.is_empty()) {
            return Err(wire::invalid(MESSAGE, "the first symbol is not empty"));
        }
        Ok(Self { table })
    }

    fn get(&self, reference: u64) -> Option<&'a str> {
        self.table.get(usize::try_from(reference).ok()?).copied()
    }
}

/// References of a series' labels: name, value, name, value.
#[derive(Default)]
struct Refs {
    all: Vec<u64>,
    count: usize,
}

impl Refs {
    fn push(&mut self, one: u64, limits: &Limits) {
        self.count += 1;
        if self.count <= limits.max_labels.saturating_mul(2) {
            self.all.push(one);
        }
    }

    fn unpack(&mut self, mut packed: &[u8], limits: &Limits) -> Result<(), PrometheusError> {
        while !packed.is_empty() {
            let one = varint(&mut packed).map_err(|reason| wire::invalid("TimeSeries", reason))?;
            self.push(one, limits);
        }
        Ok(())
    }

    /// The labels, and how many bytes they have.
    fn labels(&self, symbols: &Symbols<'_>, limits: &Limits) -> Result<(Labels, usize), PrometheusError> {
        limits.labels(self.count.div_ceil(2))?;
        if self.count % 2 == 1 {
            return Err(wire::invalid("TimeSeries", "labels_refs are odd in number"));
        }
        let symbol = |&reference: &u64| {
            symbols.get(reference).ok_or_else(|| {
                let reason = format!("a label refers to symbol {reference} of {}", symbols.table.len());
                wire::invalid("TimeSeries", &reason)
            })
        };
        let words: Result<Vec<&str>, PrometheusError> = self.all.iter().map(symbol).collect();
        let words = words?;
        let bytes = words.iter().map(|word| word.len()).sum();
        limits.label_bytes(bytes)?;
        let labels = Labels::new(words.chunks_exact(2).map(|pair| (pair[0], pair[1])))?;
        Ok((labels, bytes))
    }
}
